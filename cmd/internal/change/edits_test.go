package change_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	evanphx "github.com/evanphx/json-patch/v5"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/jq"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// editor makes edits of one file in every way there is, as draw chooses, and holds each
// of them to what it must do: the value that another program finds, no comment lost, no
// text changed that is not the edit's.
type editor struct {
	t     testing.TB
	draw  func(n int) int // 0..n-1
	s     *txn.Store
	names []string // the file's, and another that it is copied or moved to
	made  []wal.ID
	texts []string // of the files: texts[i] is what made[i] found
	count map[string]int
}

func newEditor(t testing.TB, draw func(int) int, text []byte, ext string) *editor {
	t.Helper()
	dir := t.TempDir()
	e := &editor{t: t, draw: draw, count: map[string]int{}}
	for _, name := range []string{"f", "g"} {
		e.names = append(e.names, filepath.Join(dir, name+ext))
	}
	require.NoError(t, os.WriteFile(e.names[0], text, 0o644))
	s, err := txn.Open(dir, txn.Options{Durability: txn.None})
	require.NoError(t, err)
	e.s, e.texts = s, []string{e.state()}
	return e
}

// state is what there is of the files.
func (e *editor) state() (all string) {
	for _, name := range e.names {
		data, err := os.ReadFile(name)
		if err != nil {
			require.ErrorIs(e.t, err, os.ErrNotExist)
			all += "no file\n"
			continue
		}
		all += fmt.Sprintf("%d bytes: %s\n", len(data), data)
	}
	return all
}

// file is the one that is edited, and its document.
func (e *editor) file() (string, *jsonpatch.Document) {
	for _, name := range e.names {
		if data, err := os.ReadFile(name); err == nil {
			doc, err := jsonpatch.Parse(data, jsonpatch.Limits{})
			require.NoError(e.t, err)
			return name, doc
		}
	}
	return "", nil
}

// step makes an edit. It reports false where that changed nothing.
func (e *editor) step() bool {
	e.t.Helper()
	was := e.state()
	file, doc := e.file()
	var res txn.Result
	var err error
	switch n := e.draw(12); {
	case file == "":
		e.count["put"]++
		res, err = e.do(e.names[0], func(tx *txn.Tx) error { return tx.Put(e.names[0], []byte("[1, 2]\n")) })
	case n < 10:
		res, err = e.edit(file, doc)
	case n == 10:
		res, err = e.transfer(file)
	default:
		res, err = e.restore(file)
	}
	require.NoError(e.t, err)
	if res.ID.IsZero() {
		require.Equal(e.t, was, e.state())
		return false
	}
	e.made, e.texts = append(e.made, res.ID), append(e.texts, e.state())
	return true
}

func (e *editor) do(file string, fn func(*txn.Tx) error) (txn.Result, error) {
	return e.s.Do(context.Background(), []string{file}, fn)
}

// transfer makes a second file of the first, or only one of two.
func (e *editor) transfer(file string) (txn.Result, error) {
	other := e.names[0]
	if file == other {
		other = e.names[1]
	}
	data, err := os.ReadFile(file)
	require.NoError(e.t, err)
	verb, call := "cp", e.s.Copy
	switch e.draw(3) {
	case 0:
		verb, call = "mv", e.s.Move
	case 1:
		e.count["rm"]++
		e.t.Logf("rm %s", file)
		return e.do(file, func(tx *txn.Tx) error { return tx.Remove(file) })
	}
	e.count[verb]++
	e.t.Logf("%s %s", verb, file)
	res, err := call(context.Background(), file, other, txn.Replacing())
	require.NoError(e.t, err)
	now, readErr := os.ReadFile(other)
	require.NoError(e.t, readErr)
	require.Equal(e.t, string(data), string(now), verb)
	return res, err
}

// restore brings the newest version but one back.
func (e *editor) restore(file string) (txn.Result, error) {
	n := len(e.made)
	if n == 0 {
		return txn.Result{}, nil
	}
	e.count["restore"]++
	e.t.Logf("restore %s", file)
	res, err := history.Restore(context.Background(), e.s, []string{file}, history.Back(1))
	if errors.Is(err, txn.ErrNotFound) { // there is no version before the newest
		return txn.Result{}, nil
	}
	return res, err
}

// edit changes the document in one of the ways, and looks at what that did.
func (e *editor) edit(file string, was *jsonpatch.Document) (txn.Result, error) {
	ed := e.choose(was)
	e.count[ed.verb]++
	e.t.Logf("%s", ed)
	want, known := ed.want(jsonpatch.Compact(was.Bytes()))
	res, err := e.do(file, func(tx *txn.Tx) error { return ed.do(tx, file) })
	if err != nil {
		require.False(e.t, known, "%s: %v\n%s", ed, err, was.Bytes())
		require.True(e.t, errors.Is(err, txn.ErrInvalid) || errors.Is(err, txn.ErrConflict) || errors.Is(err, txn.ErrNotFound), "%s: %v", ed, err)
		return txn.Result{}, nil
	}
	require.True(e.t, known, "%s is possible, and should not be\n%s", ed, was.Bytes())
	data, err := os.ReadFile(file)
	require.NoError(e.t, err)
	ed.holds(e.t, was, data, want)
	return res, nil
}

// holds looks at what an edit made of a document, which should have a value.
func (ed anEdit) holds(t testing.TB, was *jsonpatch.Document, data, want []byte) {
	t.Helper()
	parse := jsonpatch.Parse
	if was.Syntax() == jsonpatch.Strict {
		parse = jsonpatch.ParseStrict
	}
	is, err := parse(data, jsonpatch.Limits{})
	require.NoError(t, err, "%s\n%s\n%s", ed, was.Bytes(), data)
	if !jsonpatch.Equal(want, is.Blank()) {
		var a, b any
		require.NoError(t, json.Unmarshal(want, &a))
		require.NoError(t, json.Unmarshal(jsonpatch.Compact(data), &b))
		require.True(t, ed.byFloats && reflect.DeepEqual(a, b), "%s:\n%s\nbecame\n%s\nnot\n%s", ed, was.Bytes(), data, want)
	}
	if ed.whole {
		return
	}
	sameText(t, was, is, ed.lo, ed.hi, ed.String())
	sameComments(t, was, is, was.Bytes()[ed.losesLo:ed.losesHi], ed.String())
	if ed.lines >= 0 {
		require.LessOrEqual(t, goesOfLines(was.Bytes(), data), ed.lines, "%s: lines go\n%s\n%s", ed, was.Bytes(), data)
	}
}

// anEdit is one of a document.
type anEdit struct {
	verb, what string
	do         func(tx *txn.Tx, file string) error
	want       func(old []byte) ([]byte, bool) // the value; false for an edit that must fail
	byFloats   bool                            // numbers are float64 in the value
	whole      bool                            // all of the text may change
	lo, hi     int                             // of the text that may change

	losesLo, losesHi int // of the text whose comments may go
	lines            int // that may be changed at most, -1 for any number
}

func (ed anEdit) String() string { return ed.verb + " " + ed.what }

var newNames = []string{"new", "alpha", "zeta", "a b", "é", "mid"}

var newValues = []string{
	`1`, `"text"`, `null`, `true`, `1.50`, `"caf\u00e9"`, `{}`, `[]`, `[1,2,3]`, `{"a":1,"b":[true,null]}`,
	"[\n  {\"id\": 1, \"name\": \"x\"},\n  {\"id\": 2, \"name\": \"y\"}\n]", `[[1,2],[3,4]]`, `-0.5`, `""`,
}

func isScalar(text string) bool { return text[0] != '{' && text[0] != '[' }

func (e *editor) choose(doc *jsonpatch.Document) anEdit {
	all := placesOf(e.t, doc)
	p := all[len(all)-1-e.draw(len(all))]
	value := newValues[e.draw(len(newValues))]
	name := newNames[e.draw(len(newNames))]
	switch e.draw(10) {
	case 0, 1:
		return e.set(p, value)
	case 2:
		return e.add(p, name, value)
	case 3:
		return e.remove(p)
	case 4:
		return e.patch(p, all[e.draw(len(all))])
	case 5:
		return e.merge(p, name, value)
	case 6, 7:
		return e.update(doc, p, name, value)
	case 8:
		return e.format(doc)
	}
	return e.put(p, value)
}

// byPatch is the value that another program's JSON Patch gives.
func byPatch(patch string) func([]byte) ([]byte, bool) {
	return func(old []byte) ([]byte, bool) {
		p, err := evanphx.DecodePatch([]byte(patch))
		if err != nil {
			return nil, false
		}
		made, err := p.Apply(old)
		return made, err == nil
	}
}

func onePatch(op string, at jsonpatch.Pointer, value string) string {
	return fmt.Sprintf(`[{"op":%q,"path":%s,"value":%s}]`, op, quoted(at.String()), value)
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

func (e *editor) set(p *place, value string) anEdit {
	ed := anEdit{verb: "set", what: p.at.String() + " " + value, lo: p.lo, hi: p.hi, losesLo: p.lo, losesHi: p.hi, lines: -1}
	if isScalar(string(p.text)) && isScalar(value) {
		ed.lines = 1
	}
	ed.want = func(old []byte) ([]byte, bool) {
		if p.up == nil {
			return []byte(value), true
		}
		return byPatch(onePatch("replace", p.at, value))(old)
	}
	ed.do = func(tx *txn.Tx, file string) error { return tx.Set(file, p.at.String(), json.RawMessage(value)) }
	return ed
}

// add sets a member that may be there, or appends to an array.
func (e *editor) add(p *place, name, value string) anEdit {
	if isScalar(string(p.text)) {
		return e.set(p, value)
	}
	if p.kind == '[' {
		name = "-"
	}
	for _, c := range p.children {
		if p.kind == '{' && c.key() == name {
			return e.set(c, value)
		}
	}
	at := append(p.at[:len(p.at):len(p.at)], name)
	ed := anEdit{verb: "set", what: "a new " + at.String() + " " + value, lo: p.lo, hi: p.hi, lines: 1}
	if len(p.children) == 0 {
		ed.lines = 3 // comments in the empty container
	}
	ed.want = byPatch(onePatch("add", at, value))
	ed.do = func(tx *txn.Tx, file string) error { return tx.Set(file, at.String(), json.RawMessage(value)) }
	return ed
}

func (e *editor) remove(p *place) anEdit {
	if p.up == nil {
		return e.set(p, "{}")
	}
	ed := anEdit{verb: "del", what: p.at.String(), lo: p.before, hi: p.behind, losesLo: p.before, losesHi: p.behind, lines: -1}
	if len(p.up.children) == 1 {
		ed.lo, ed.hi = p.up.lo, p.up.hi
	}
	ed.want = byPatch(fmt.Sprintf(`[{"op":"remove","path":%s}]`, quoted(p.at.String())))
	ed.do = func(tx *txn.Tx, file string) error { return tx.Delete(file, p.at.String()) }
	return ed
}

// patch moves or copies a value.
func (e *editor) patch(p, to *place) anEdit {
	at := to.at
	if to.kind == '{' {
		at = append(at[:len(at):len(at)], newNames[e.draw(len(newNames))])
	}
	op := []string{"move", "copy"}[e.draw(2)]
	patch := fmt.Sprintf(`[{"op":%q,"from":%s,"path":%s}]`, op, quoted(p.at.String()), quoted(at.String()))
	ed := anEdit{verb: "patch", what: patch, whole: true, want: byPatch(patch)}
	if p.up == nil || len(at) == 0 || at.HasPrefix(p.at) || p.at.HasPrefix(at) {
		return e.set(p, "7") // which other programs don't agree about
	}
	ed.do = func(tx *txn.Tx, file string) error { return tx.Patch(file, []byte(patch)) }
	return ed
}

// merge merges a member into an object, deep in the document.
func (e *editor) merge(p *place, name, value string) anEdit {
	if p.kind != '{' {
		if p.up == nil || p.up.kind != '{' {
			return e.set(p, value)
		}
		name, p = p.key(), p.up
	}
	ed := anEdit{verb: "merge", lo: p.lo, hi: p.hi, lines: -1}
	for _, c := range p.children {
		if c.key() == name {
			ed.losesLo, ed.losesHi = c.before, c.behind
		}
	}
	merge := fmt.Sprintf(`{%s:%s}`, quoted(name), value)
	for q := p; q.up != nil; q = q.up {
		if q.up.kind == '[' { // a merge replaces arrays
			return e.add(p, name, value)
		}
		merge = fmt.Sprintf(`{%s:%s}`, quoted(q.key()), merge)
	}
	ed.what = merge
	ed.want = func(old []byte) ([]byte, bool) {
		made, err := evanphx.MergePatch(old, []byte(merge))
		return made, err == nil
	}
	ed.do = func(tx *txn.Tx, file string) error { return tx.Merge(file, []byte(merge)) }
	return ed
}

// put replaces all by another text, or by another value where only that changes; pipe
// does the same with what a program prints.
func (e *editor) put(p *place, value string) anEdit {
	ed := anEdit{verb: []string{"put", "pipe"}[e.draw(2)], whole: true}
	set := e.set(p, value)
	ed.want = set.want
	if e.draw(2) == 0 {
		ed.what = "a new text, " + set.what
		ed.do = func(tx *txn.Tx, file string) error {
			old, err := tx.Bytes(file)
			if err != nil {
				return err
			}
			made, _ := set.want(jsonpatch.Compact(old))
			return tx.Put(file, append(made, '\n'))
		}
		return ed
	}
	set.verb = ed.verb + " --keep-layout"
	set.do = func(tx *txn.Tx, file string) error {
		old, err := tx.Bytes(file)
		if err != nil {
			return err
		}
		made, _ := set.want(jsonpatch.Compact(old))
		return tx.Encode(file, json.RawMessage(made))
	}
	return set
}

func (e *editor) format(doc *jsonpatch.Document) anEdit {
	f := []jsonpatch.Format{{}, {Indent: "\t"}, {Indent: "    "}, {Compact: true}, {SortKeys: true}}[e.draw(5)]
	ed := anEdit{verb: "fmt", what: fmt.Sprintf("%+v", f), lo: 0, hi: len(doc.Bytes()), lines: -1}
	ed.want = func(old []byte) ([]byte, bool) { return old, !f.Compact || len(doc.Comments()) == 0 }
	ed.do = func(tx *txn.Tx, file string) error { return tx.Format(file, f) }
	return ed
}

func (e *editor) update(doc *jsonpatch.Document, p *place, name, value string) anEdit {
	if !forGojq(jsonpatch.Compact(doc.Bytes())) {
		return e.set(p, value)
	}
	prog := drawProgram(e.draw, p, name, value)
	ed := prog.edit()
	ed.do = func(tx *txn.Tx, file string) error {
		old, err := tx.Bytes(file)
		if err != nil {
			return err
		}
		made, err := revised(prog.text, old)
		if err != nil {
			return fmt.Errorf("%w: %w", txn.ErrInvalid, err)
		}
		return tx.Revise(file, made)
	}
	return ed
}

func (prog aProgram) edit() anEdit {
	ed := anEdit{verb: "update", what: prog.text, byFloats: true, lo: prog.lo, hi: prog.hi, losesLo: prog.losesLo, losesHi: prog.losesHi, lines: prog.lines}
	ed.want = func(old []byte) ([]byte, bool) { return byGojq(prog.text, old) }
	return ed
}

func revised(text string, old []byte) (jsonpatch.Revision, error) {
	program, err := jq.Compile(text, nil, os.Environ)
	if err != nil {
		return jsonpatch.Revision{}, err
	}
	return program.Revise(context.Background(), "FILE", old)
}
