package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jtx-project/jtx/txn/history"
)

// EntryJSON is a transaction of the history.
type EntryJSON struct {
	TX      string       `json:"tx"`
	Time    string       `json:"time"`
	Actor   string       `json:"actor,omitempty"`
	Message string       `json:"message,omitempty"`
	Request string       `json:"request,omitempty"`
	Foreign bool         `json:"foreign,omitempty"`
	Files   []changeJSON `json:"files"`
	Others  []*JSONFile  `json:"others,omitempty"`
}

// changeJSON is what it did to one file.
type changeJSON struct {
	*JSONFile
	Rev    uint64          `json:"rev"`
	Exists bool            `json:"exists"`
	Patch  json.RawMessage `json:"patch,omitempty"`

	Origins []originJSON `json:"origins,omitempty"`
}

// originJSON is where its content is from, or went.
type originJSON struct {
	How history.OriginHow `json:"how"`
	*JSONFile
	Rev uint64 `json:"rev,omitempty"`
}

func newOriginsJSON(list []history.Origin) (all []originJSON) {
	for _, o := range list {
		j := originJSON{How: o.How, Rev: o.Rev}
		if o.File != "" {
			j.JSONFile = NewJSONFile(Shown(o.File))
		}
		all = append(all, j)
	}
	return all
}

// Told is what a transaction says of itself: its message, and from where it has moved
// or copied a file, or where one went.
func Told(e history.Entry) string {
	var from, to []string
	for _, f := range e.Files {
		for _, o := range f.Origins {
			text := originText(o)
			if e.Foreign {
				text += " by another program"
			}
			if o.How == history.MovedTo {
				to = append(to, text)
			} else {
				from = append(from, text)
			}
		}
	}
	if len(from) == 0 {
		from = to // else the other end of the same way
	}
	text := strings.Join(from, ", ")
	if text == "" || e.Message == "" {
		return e.Message + text
	}
	return e.Message + " (" + text + ")"
}

func originText(o history.Origin) string {
	name := "another workspace"
	if o.File != "" {
		name = Shown(o.File)
	}
	if o.File != "" && o.Rev > 0 {
		name = fmt.Sprintf("%s@%d", name, o.Rev)
	}
	return string(o.How) + " " + QuoteWord(name)
}

// NewEntryJSON tells of an entry, with patches if it has them.
func NewEntryJSON(e history.Entry, patches bool) EntryJSON {
	j := EntryJSON{TX: e.ID.String(), Time: e.Time.UTC().Format(time.RFC3339Nano), Actor: e.Actor, Message: e.Message, Request: e.Request, Foreign: e.Foreign, Files: []changeJSON{}}
	for _, f := range e.Files {
		c := changeJSON{JSONFile: NewJSONFile(Shown(f.File)), Rev: f.Rev, Exists: f.After.Exists, Origins: newOriginsJSON(f.Origins)}
		if patches {
			c.Patch = f.Patch.Encode()
		}
		j.Files = append(j.Files, c)
	}
	for _, name := range e.Others {
		j.Others = append(j.Others, NewJSONFile(Shown(name)))
	}
	return j
}
