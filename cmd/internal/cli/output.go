package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
)

// EncodeJSON is v on one line, as UTF-8, without escapes that only HTML needs. v
// is made of this package's types, all of which can be encoded.
func EncodeJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// QuoteJSON is text as a JSON string.
func QuoteJSON(text string) ([]byte, error) {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return nil, &Error{Exit: ExitInvalid, Msg: "a JSON string must be UTF-8", Err: err}
	}
	return quoted, nil
}

func (a *App) WriteJSON(v any) error { return a.Write(EncodeJSON(v)) }

// TimeText is a time as programs are told it.
func TimeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// TimeText is a time as it is printed: as clocks show it where a person reads that.
func (a *App) TimeText(t time.Time) string {
	if IsTerminal(a.Stdout) && !a.JSON {
		return localText(t)
	}
	return TimeText(t)
}

func localText(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

var utcForm = Pattern(`\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z`)

// localTimes writes the times in a text, which programs are told, as people's clocks show
// them.
func localTimes(text string) string {
	if !strings.Contains(text, "Z") {
		return text
	}
	return utcForm().ReplaceAllStringFunc(text, func(word string) string {
		t, err := time.Parse(time.RFC3339Nano, word)
		if err != nil {
			return word
		}
		return localText(t)
	})
}

// ChangedJSON is a file in the result of a transaction.
type ChangedJSON struct {
	*JSONFile
	Rev     *uint64         `json:"rev,omitempty"` // none for a change that was only tried
	Changed bool            `json:"changed"`
	Patch   json.RawMessage `json:"patch,omitempty"`
}

// ResultJSON is the result of a transaction.
type ResultJSON struct {
	TX        *string       `json:"tx"` // null where nothing was changed
	DryRun    bool          `json:"dry_run,omitempty"`
	Files     []ChangedJSON `json:"files"`
	Warnings  []string      `json:"warnings,omitempty"`
	Recovered []DoneJSON    `json:"recovered,omitempty"`
}

// Outcome is what a transaction over files did, to be shown.
type Outcome struct {
	txn.Result
	dryRun bool
	Single bool // the verb changes one file
}

// NewOutcome names the files as the user gave them; without names, which are in
// the order of the result, as the user would.
func NewOutcome(res txn.Result, names []string, dryRun bool) Outcome {
	for i := range res.Files {
		if names == nil {
			res.Files[i].File = Shown(res.Files[i].File)
		} else {
			res.Files[i].File = names[i]
		}
	}
	return Outcome{Result: res, dryRun: dryRun}
}

// PrintOutcome prints the result of a transaction. Once that is committed a
// failure to print must not look as if it were not.
func (a *App) PrintOutcome(o Outcome) error {
	err := a.showOutcome(o)
	if err == nil || o.ID.IsZero() || ExitOf(err) > 128 {
		return err
	}
	a.Warn(fmt.Sprintf("transaction %s is committed, but saying so failed: %s", o.ID, MessageOf(err)))
	return nil
}

func (a *App) showOutcome(o Outcome) error {
	for _, w := range o.Warnings {
		a.Warn(w)
	}
	switch {
	case a.JSON:
		return a.WriteJSON(o.JSON())
	case o.dryRun:
		for _, f := range o.Files {
			if f.Changed && len(f.Patch) == 0 {
				a.Note("note: no value of %s changes, only the layout", QuoteWord(f.File))
			}
		}
		return a.WriteDocument(o.patches())
	case o.ID.IsZero():
		a.Note("unchanged")
		return nil
	}
	return a.Printf("%s\n", o.line())
}

// line is `TXID FILE@REV ...` with the files that changed.
func (o Outcome) line() string {
	words := []string{o.ID.String()}
	for _, f := range o.Files {
		if word := QuoteWord(fmt.Sprintf("%s@%d", f.File, f.Rev)); f.Changed && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// patches is what a dry run prints: the patch of a verb that changes one file,
// else a line for each file, of the form that jtx do reads.
func (o Outcome) patches() []byte {
	var out []byte
	for _, f := range o.Files {
		if o.Single {
			return append(f.Patch.Encode(), '\n')
		}
		if f.Changed {
			line := struct {
				*JSONFile
				Patch json.RawMessage `json:"patch"`
			}{NewJSONFile(f.File), f.Patch.Encode()}
			out = append(out, EncodeJSON(line)...)
		}
	}
	return out
}

func (o Outcome) JSON() ResultJSON {
	r := ResultJSON{DryRun: o.dryRun, Files: []ChangedJSON{}, Warnings: o.Warnings}
	if !o.ID.IsZero() {
		id := o.ID.String()
		r.TX = &id
	}
	for _, f := range o.Files {
		c := ChangedJSON{JSONFile: NewJSONFile(f.File), Changed: f.Changed}
		if !o.dryRun || !f.Changed {
			c.Rev = &f.Rev
		}
		if o.dryRun {
			c.Patch = f.Patch.Encode()
		}
		r.Files = append(r.Files, c)
	}
	for _, d := range o.Recovered {
		r.Recovered = append(r.Recovered, NewDoneJSON(d))
	}
	return r
}

// DoneJSON is a step of recovery.
type DoneJSON struct {
	*JSONFile
	Case   string    `json:"case"`
	Action string    `json:"action"`
	Rev    uint64    `json:"rev"`
	Unit   string    `json:"unit,omitempty"`
	Aside  string    `json:"aside,omitempty"`
	Clash  string    `json:"clash,omitempty"`
	Edit   uint64    `json:"edit,omitempty"` // the revision that an edit is as it was found
	Moved  *JSONFile `json:"moved_to,omitempty"`
	Error  string    `json:"error,omitempty"`
}

func NewDoneJSON(d recovery.Done) DoneJSON {
	j := DoneJSON{JSONFile: NewJSONFile(Shown(d.Target)), Case: d.Case, Action: d.Action.String(), Rev: d.Rev, Aside: d.Aside, Clash: d.Clash, Edit: d.EditRev()}
	if !d.Unit.IsZero() {
		j.Unit = d.Unit.String()
	}
	if d.MovedTo != "" {
		j.Moved = NewJSONFile(Shown(d.MovedTo))
	}
	if d.Err != nil {
		j.Error = MessageOf(d.Err)
	}
	return j
}

// ClashText says why an edit could not be kept together with what was committed.
func ClashText(d recovery.Done) string {
	if d.MovedTo != "" {
		return Printable(d.Clash) + " to " + QuoteWord(Shown(d.MovedTo))
	}
	return Printable(d.Clash)
}

// rebaseText says what became of an edit that was made while a file lagged.
func rebaseText(d recovery.Done) string {
	edit := d.EditRev()
	switch {
	case d.Record == nil:
		return "all of it was committed already"
	case d.Clash != "":
		return fmt.Sprintf("it clashes: %s; it is revision %d, and what was committed stands again as revision %d", ClashText(d), edit, d.Rev)
	case edit > 0:
		return fmt.Sprintf("recorded as revision %d, and with what was committed as revision %d", edit, d.Rev)
	}
	return fmt.Sprintf("recorded with what was committed as revision %d", d.Rev)
}

// CaseText names for people what recovery found.
func CaseText(d recovery.Done) string {
	if d.Action == recovery.Adopt && d.Unit.IsZero() {
		if _, err := os.Lstat(d.Target); d.Record != nil && !d.Record.After.Exists || errors.Is(err, fs.ErrNotExist) {
			return "deleted outside" // be it that it was not there at some time before, too
		}
	}
	return strings.ReplaceAll(d.Case, "-", " ")
}

// doneText says what recovery did in a sentence, empty where it is of no interest.
func doneText(d recovery.Done) string {
	name := QuoteWord(Shown(d.Target))
	switch {
	case d.Err != nil:
		return Printable(MessageOf(d.Err))
	case !d.Unit.IsZero():
		return fmt.Sprintf("%s: unfinished transaction %s: %s", name, d.Unit, CaseText(d))
	}
	switch d.Action {
	case recovery.Adopt:
		text := fmt.Sprintf("%s: %s; recorded as revision %d", name, CaseText(d), d.Rev)
		if d.MovedTo != "" {
			text += ", after it was moved to " + QuoteWord(Shown(d.MovedTo))
		}
		return text
	case recovery.Redo:
		return fmt.Sprintf("%s: %s; revision %d was put in place", name, CaseText(d), d.Rev)
	case recovery.Rebase:
		return fmt.Sprintf("%s: %s; %s", name, CaseText(d), rebaseText(d))
	case recovery.SetAsideRedo:
		return fmt.Sprintf("%s: %s; its bytes are kept in %s, and revision %d was put in place", name, CaseText(d), QuoteWord(Shown(d.Aside)), d.Rev)
	case recovery.Nothing, recovery.Settle, recovery.SetAside: // nobody's bytes were changed
	}
	if d.Cut.Bytes > 0 && !d.Cut.Blank {
		return fmt.Sprintf("%s: %d bytes of a torn record were cut off the journal", name, d.Cut.Bytes)
	}
	return ""
}
