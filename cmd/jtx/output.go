package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
)

// encodeJSON is v on one line, as UTF-8, without escapes that only HTML needs. v
// is made of this package's types, all of which can be encoded.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// quoteJSON is text as a JSON string.
func quoteJSON(text string) ([]byte, error) {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return nil, &cliError{exit: exitInvalid, msg: "a JSON string must be UTF-8", err: err}
	}
	return quoted, nil
}

func (a *app) writeJSON(v any) error { return a.write(encodeJSON(v)) }

// timeText is a time as it is printed everywhere.
func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// changedJSON is a file in the result of a transaction.
type changedJSON struct {
	*jsonFile
	Rev     *uint64         `json:"rev,omitempty"` // none for a change that was only tried
	Changed bool            `json:"changed"`
	Patch   json.RawMessage `json:"patch,omitempty"`
}

// resultJSON is the result of a transaction.
type resultJSON struct {
	TX        *string       `json:"tx"` // null where nothing was changed
	DryRun    bool          `json:"dry_run,omitempty"`
	Files     []changedJSON `json:"files"`
	Warnings  []string      `json:"warnings,omitempty"`
	Recovered []doneJSON    `json:"recovered,omitempty"`
}

// outcome is what a transaction over files did, to be shown.
type outcome struct {
	txn.Result
	dryRun bool
	single bool // the verb changes one file
}

// newOutcome names the files as the user gave them; without names, which are in
// the order of the result, as the user would.
func newOutcome(res txn.Result, names []string, dryRun bool) outcome {
	for i := range res.Files {
		if names == nil {
			res.Files[i].File = shown(res.Files[i].File)
		} else {
			res.Files[i].File = names[i]
		}
	}
	return outcome{Result: res, dryRun: dryRun}
}

// printOutcome prints the result of a transaction. Once that is committed a
// failure to print must not look as if it were not.
func (a *app) printOutcome(o outcome) error {
	err := a.showOutcome(o)
	if err == nil || o.ID.IsZero() || exitOf(err) > 128 {
		return err
	}
	a.warn(fmt.Sprintf("transaction %s is committed, but saying so failed: %s", o.ID, messageOf(err)))
	return nil
}

func (a *app) showOutcome(o outcome) error {
	for _, d := range o.Recovered {
		if text := doneText(d); text != "" {
			a.note("note: %s", text)
		}
	}
	for _, w := range o.Warnings {
		a.warn(w)
	}
	switch {
	case a.json:
		return a.writeJSON(o.json())
	case o.dryRun:
		for _, f := range o.Files {
			if f.Changed && len(f.Patch) == 0 {
				a.note("note: no value of %s changes, only the layout", quoteWord(f.File))
			}
		}
		return a.write(o.patches())
	case o.ID.IsZero():
		a.note("unchanged")
		return nil
	}
	return a.printf("%s\n", o.line())
}

// line is `TXID FILE@REV ...` with the files that changed.
func (o outcome) line() string {
	words := []string{o.ID.String()}
	for _, f := range o.Files {
		if word := quoteWord(fmt.Sprintf("%s@%d", f.File, f.Rev)); f.Changed && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// patches is what a dry run prints: the patch of a verb that changes one file,
// else a line for each file, of the form that jtx do reads.
func (o outcome) patches() []byte {
	var out []byte
	for _, f := range o.Files {
		if o.single {
			return append(f.Patch.Encode(), '\n')
		}
		if f.Changed {
			line := struct {
				*jsonFile
				Patch json.RawMessage `json:"patch"`
			}{newJSONFile(f.File), f.Patch.Encode()}
			out = append(out, encodeJSON(line)...)
		}
	}
	return out
}

func (o outcome) json() resultJSON {
	r := resultJSON{DryRun: o.dryRun, Files: []changedJSON{}, Warnings: o.Warnings}
	if !o.ID.IsZero() {
		id := o.ID.String()
		r.TX = &id
	}
	for _, f := range o.Files {
		c := changedJSON{jsonFile: newJSONFile(f.File), Changed: f.Changed}
		if !o.dryRun || !f.Changed {
			c.Rev = &f.Rev
		}
		if o.dryRun {
			c.Patch = f.Patch.Encode()
		}
		r.Files = append(r.Files, c)
	}
	for _, d := range o.Recovered {
		r.Recovered = append(r.Recovered, newDoneJSON(d))
	}
	return r
}

// doneJSON is a step of recovery.
type doneJSON struct {
	*jsonFile
	Case   string `json:"case"`
	Action string `json:"action"`
	Rev    uint64 `json:"rev"`
	Unit   string `json:"unit,omitempty"`
	Aside  string `json:"aside,omitempty"`
	Clash  string `json:"clash,omitempty"`
	Error  string `json:"error,omitempty"`
}

func newDoneJSON(d recovery.Done) doneJSON {
	j := doneJSON{jsonFile: newJSONFile(shown(d.Target)), Case: d.Case, Action: d.Action.String(), Rev: d.Rev, Aside: d.Aside, Clash: d.Clash}
	if !d.Unit.IsZero() {
		j.Unit = d.Unit.String()
	}
	if d.Err != nil {
		j.Error = messageOf(d.Err)
	}
	return j
}

// rebaseText says what became of an edit that was made while a file was behind.
func rebaseText(d recovery.Done) string {
	text := "nothing but layout and comments was changed"
	switch {
	case d.Clash != "":
		text = "it clashes: " + printable(d.Clash)
	case d.Record != nil:
		text = fmt.Sprintf("recorded as revision %d", d.Rev)
	}
	if d.Aside == "" {
		return text
	}
	text += "; its bytes are kept in " + quoteWord(shown(d.Aside))
	if d.Record != nil {
		return text
	}
	return text + fmt.Sprintf(", and revision %d was put in place", d.Rev)
}

// doneText says what recovery did in a sentence, empty where it is of no interest.
func doneText(d recovery.Done) string {
	name := quoteWord(shown(d.Target))
	switch {
	case d.Err != nil:
		return printable(messageOf(d.Err))
	case !d.Unit.IsZero():
		return fmt.Sprintf("%s: unfinished transaction %s: %s", name, d.Unit, d.Case)
	}
	switch d.Action {
	case recovery.Adopt:
		return fmt.Sprintf("%s: %s; recorded as revision %d", name, d.Case, d.Rev)
	case recovery.Redo:
		return fmt.Sprintf("%s: %s; revision %d was put in place", name, d.Case, d.Rev)
	case recovery.Rebase:
		return fmt.Sprintf("%s: %s; %s", name, d.Case, rebaseText(d))
	case recovery.SetAsideRedo:
		return fmt.Sprintf("%s: %s; its bytes are kept in %s, and revision %d was put in place", name, d.Case, quoteWord(shown(d.Aside)), d.Rev)
	}
	if d.Cut.Bytes > 0 && !d.Cut.Blank {
		return fmt.Sprintf("%s: %d bytes of a torn record were cut off the journal", name, d.Cut.Bytes)
	}
	return ""
}
