package txn

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// SettingIndent is the setting that says how a document is laid out that shows no
// layout of its own, such as "{}".
const SettingIndent = "indent"

// maxIndent is how many spaces one step of indentation may have.
const maxIndent = 16

// ParseIndent reads a step of indentation: a number of spaces, "tab" or "compact".
func ParseIndent(word string) (jsonpatch.Style, error) {
	switch word {
	case "tab":
		return jsonpatch.Style{Indent: "\t"}, nil
	case "compact":
		return jsonpatch.Style{Compact: true}, nil
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > maxIndent {
		return jsonpatch.Style{}, &Error{Kind: ErrInvalid, Err: fmt.Errorf("indent %q: want a number of spaces from 1 to %d, tab or compact", word, maxIndent)}
	}
	return jsonpatch.Style{Indent: strings.Repeat(" ", n)}, nil
}

// small is the size in bytes from which a document that shows no indent is one on one
// line, whose style needs none.
const small = 4 << 10

// style is how a draft is written.
func (tx *Tx) style(d *draft) (jsonpatch.Style, error) {
	style := tx.s.opt.Style
	if style.Indent != "" || style.Compact || d.doc != nil && (len(d.doc.Bytes()) > small || d.doc.ShowsIndent()) {
		return style, nil
	}
	ws, err := tx.workspaceOf(d)
	if ws == nil || err != nil {
		return style, fault.In(d.name, err)
	}
	values, err := tx.s.src.ReadSettings(ws.Root)
	if err != nil || values[SettingIndent] == nil {
		return style, fault.In(d.name, err)
	}
	var word string
	if json.Unmarshal(values[SettingIndent], &word) != nil {
		word = string(values[SettingIndent])
	}
	set, err := ParseIndent(word)
	set.Append = style.Append
	return set, err
}

// workspaceOf is a draft's workspace, nil where there is none.
func (tx *Tx) workspaceOf(d *draft) (*workspace.Workspace, error) {
	switch {
	case d.t != nil:
		return d.t.WS, nil
	case tx.home != nil:
		return tx.home(d)
	}
	return nil, nil
}

// Format lays a file out anew; see [jsonpatch.Document.Format]. Where f has no indent and
// the file shows none, that of the store's style is taken.
func (tx *Tx) Format(file string, f jsonpatch.Format) error {
	if _, err := tx.writable(file); err != nil {
		return err
	}
	d, err := tx.existing(file)
	if err != nil {
		return err
	}
	if f.Indent == "" && !f.Compact {
		style, err := tx.style(d)
		if err != nil {
			return err
		}
		f.Indent = style.Indent
	}
	next, err := d.doc.Format(f, tx.lim)
	if err != nil || next.Doc == d.doc {
		return fault.In(d.name, err)
	}
	return d.replace(next.Doc, tx.lim)
}
