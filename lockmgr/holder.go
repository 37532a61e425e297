package lockmgr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Holder is what is known about a process that holds a lock or waits for it.
// What is not known is zero.
type Holder struct {
	PID int
	// Started is when the process began, to the second.
	Started time.Time
	Host    string
	Command string
	// Since is when it got the lock.
	Since time.Time
	Mode  Mode
	// Suspended says that the process is stopped, by SIGSTOP or the terminal: it does
	// nothing, and keeps what it holds, until somebody lets it go on.
	Suspended bool
}

func (h Holder) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pid %d", h.PID)
	if h.Command != "" {
		fmt.Fprintf(&b, " (%s)", h.Command)
	}
	if h.Host != "" {
		fmt.Fprintf(&b, " on %s", h.Host)
	}
	if !h.Since.IsZero() {
		fmt.Fprintf(&b, " since %s", h.Since.UTC().Format(time.RFC3339))
	}
	if h.Suspended {
		b.WriteString(", suspended")
	}
	return b.String()
}

// text is the JSON in a lock file.
type text struct {
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Host    string    `json:"host"`
	PIDNS   string    `json:"pidns,omitempty"`
	Command string    `json:"command"`
	Mode    string    `json:"mode"`
	Since   time.Time `json:"since"`
}

func (t *text) holder() Holder {
	h := Holder{PID: t.PID, Started: t.Started, Host: t.Host, Command: t.Command, Since: t.Since}
	if t.Mode == Exclusive.String() {
		h.Mode = Exclusive
	}
	return h
}

// ReadHolder reads the text in the lock file at path: the last exclusive holder
// that left one, whether or not it still holds the lock ([Manager.Probe] tells).
// It is false where there is no text.
func ReadHolder(path string) (Holder, bool, error) {
	t, err := readText(path)
	if err != nil || t == nil {
		return Holder{}, false, err
	}
	return t.holder(), true, nil
}

// readText is nil where there is no text, or none that makes sense: it may be
// read while it is written.
func readText(path string) (*text, error) {
	raw, err := readSmall(path, textSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	t := &text{}
	if json.Unmarshal(line, t) != nil || t.PID == 0 {
		//lint:ignore nilerr the text is for people; what is none tells nothing
		return nil, nil
	}
	return t, nil
}

// What of a command and a host's name goes into a holder's text, in bytes.
const (
	maxCommand = 120
	maxHost    = 64
)

// own is what this process says of itself, nil until that is first needed.
var own atomic.Pointer[identity]

// identity is what doesn't change in this process's texts.
type identity struct {
	command string
	// prefix is the text up to the members that change.
	prefix []byte
}

// SetCommand sets what this process is called in the texts it leaves in lock
// files. It should say what people need to find the process, and nothing
// secret: it stays on disk. Without it, it is the name of the program and its
// first word that is not a flag, such as "jtx set".
func SetCommand(command string) { own.Store(newIdentity(command)) }

func ownIdentity() *identity {
	if own.Load() == nil {
		own.CompareAndSwap(nil, newIdentity(commandOf(os.Args)))
	}
	return own.Load()
}

func newIdentity(command string) *identity {
	self := selfNow()
	t := text{PID: self.PID, Started: startedAt(self), PIDNS: self.PIDNS}
	t.Host, t.Command = clip(self.Host, maxHost), clip(command, maxCommand)
	raw, _ := json.Marshal(&t)
	if len(raw) > textSize-128 {
		// Only names made of control characters grow that long when escaped.
		t.Host, t.Command = "", ""
		raw, _ = json.Marshal(&t)
	}
	mode := bytes.Index(raw, []byte(`,"mode":`))
	return &identity{t.Command, raw[:mode:mode]}
}

// commandOf is the short name of a process with these arguments. The rest of
// them may be secret, a value to set for instance.
func commandOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	name := filepath.Base(args[0])
	for _, a := range args[1:] {
		if !strings.HasPrefix(a, "-") {
			if isWord(a) {
				name += " " + a
			}
			break
		}
	}
	return name
}

func isWord(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 20
}

func clip(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// holderText is the text of a holder in this mode, since a time. Its
// size is fixed, so that one write replaces it.
func holderText(mode Mode, since time.Time) []byte {
	b := make([]byte, 0, textSize)
	b = append(b, ownIdentity().prefix...)
	b = append(b, `,"mode":"`...)
	b = append(b, mode.String()...)
	b = append(b, `","since":"`...)
	b = since.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `"}`...)
	for len(b) < textSize-1 {
		b = append(b, ' ')
	}
	return append(b, '\n')
}
