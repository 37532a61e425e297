package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// minTelling is the length, in bytes, from which a value is looked for in other
// places: a shorter one stands everywhere by chance.
const minTelling = 6

// marks are the texts by which redacted values are known outside of their place:
// the values themselves, the strings and numbers in them, and the strings as they
// are without quotes and escapes.
type marks struct {
	telling [][]byte
	// short are values that are too short to tell. They count where it does no harm
	// to take away too much.
	short [][]byte
}

func marksOf(secrets map[string]int) (m marks) {
	for secret := range secrets {
		scalar := secret[0] != '{' && secret[0] != '['
		m.add([]byte(secret), false)
		if scalar {
			m.add(bytes.Trim([]byte(secret), `"`), true)
		}
		m.addInside([]byte(secret), 0, len(secret), scalar)
	}
	return m
}

// addInside adds the strings and numbers of text[lo:hi], which is strict JSON; names of
// members are none.
func (m *marks) addInside(text []byte, lo, hi int, scalar bool) {
	value := string(text[lo:hi])
	switch c := text[lo]; {
	case c == '{' || c == '[':
		jsonpatch.Children(text, lo, func(_ []byte, lo, hi int) { m.addInside(text, lo, hi, scalar) })
		return
	case c == '"':
		value = jsonpatch.Unquote(text[lo:hi])
	case c == 't' || c == 'f' || c == 'n':
		return
	}
	m.add([]byte(value), scalar)
	if escaped := inPointer.Replace(value); escaped != value {
		m.add([]byte(escaped), false)
	}
}

// inPointer is a string as it is in a pointer, where the value is used as a key.
var inPointer = strings.NewReplacer("~", "~0", "/", "~1")

func (m *marks) add(text []byte, whole bool) {
	switch {
	case len(text) >= minTelling:
		m.telling = append(m.telling, text)
	case whole && len(text) > 0:
		m.short = append(m.short, text)
	}
}

// in tells whether one of the values is in a text.
func (m *marks) in(text []byte) bool {
	return slices.ContainsFunc(m.telling, func(mark []byte) bool { return bytes.Contains(text, mark) })
}

// maybeIn is in, for short values too.
func (m *marks) maybeIn(text []byte) bool {
	return m.in(text) || slices.ContainsFunc(m.short, func(mark []byte) bool { return bytes.Contains(text, mark) })
}

// begunIn tells whether the beginning of one of the values is in a text that may have
// been cut.
func (m *marks) begunIn(text []byte) bool {
	return slices.ContainsFunc(m.telling, func(mark []byte) bool { return bytes.Contains(text, mark[:minTelling]) })
}

// cleanMessages is a record without the values in its messages.
func (r *redaction) cleanMessages(rec *wal.Record) *wal.Record {
	out := *rec
	out.Txns = slices.Clone(rec.Txns)
	for i := range out.Txns {
		if r.marks.in([]byte(out.Txns[i].Message)) {
			out.Txns[i].Message = "[redacted]"
			r.done.Messages++
		}
	}
	return &out
}

// withoutMessages is for the journals of other files, which count no message twice.
func (r *redaction) withoutMessages(rec *wal.Record) (*wal.Record, error) {
	before := r.done.Messages
	rec = r.cleanMessages(rec)
	r.done.Messages = before
	return rec, nil
}

// sharers are the other files of the file's transactions that have such a message in
// their histories. Those that hold a value itself, as where the file was moved from,
// are noted.
func (r *redaction) sharers(set *workspace.FileSet) (list []*workspace.Target, err error) {
	r.done.AlsoIn, r.done.Unreached = nil, nil
	seen := map[recovery.Key]bool{r.h.Target.Key(): true}
	for rec, err := range r.s.Records(r.h.Target, 1) {
		if err != nil {
			return nil, err
		}
		for _, p := range rec.Participants {
			key := recovery.Key{Workspace: p.Workspace, Path: p.Path}
			if seen[key] || r.h.Target.IsParticipant(p) {
				continue
			}
			seen[key] = true
			t, err := set.ResolveParticipant(p)
			messages, values := false, false
			if err == nil {
				messages, values, err = r.lookInto(t)
			}
			if err != nil { // gone, or damaged: this file need not wait for that
				r.done.Unreached = append(r.done.Unreached, r.h.Target.NameOf(p))
				continue
			}
			if messages {
				list = append(list, t)
			}
			if values {
				r.done.AlsoIn = append(r.done.AlsoIn, t.Name)
			}
		}
	}
	return list, nil
}

// lookInto tells whether one of the values is in messages of a history, or in its
// versions.
func (r *redaction) lookInto(t *workspace.Target) (messages, values bool, err error) {
	for rec, err := range r.s.Records(t, 1) {
		if err != nil {
			return false, false, err
		}
		values = values || r.marks.in(rec.Image)
		for _, tx := range rec.Txns {
			messages = messages || r.marks.in([]byte(tx.Message))
			values = values || r.marks.in(tx.Patch)
			for _, sp := range tx.Splices {
				values = values || r.marks.in(sp.Bytes)
			}
		}
	}
	return messages, values, nil
}

// cleanTraces takes the values out of what is kept beside the journal.
func (r *redaction) cleanTraces(really bool) error {
	if err := r.cleanAside(really); err != nil {
		return err
	}
	for _, name := range r.s.Log.Names(r.h.Target.WS.Meta()) {
		err := r.cleanLog(name, really)
		if errors.Is(err, fs.ErrPermission) { // another user's
			r.done.Unreached = append(r.done.Unreached, name)
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanAside deletes the copies of damaged content in which one of the values is,
// and set-aside journals, which can't be read to the end.
func (r *redaction) cleanAside(really bool) error {
	dir := filepath.Join(r.h.Target.Dir, workspace.DamagedDir)
	entries, err := r.s.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err != nil {
			return err
		}
		name := filepath.Join(dir, e.Name())
		var text []byte
		if !e.IsDir() {
			if text, err = fsys.ReadFile(r.s.FS, name); err != nil {
				return err
			}
			if !r.marks.maybeIn(text) {
				continue
			}
		}
		r.done.Removed = append(r.done.Removed, name)
		switch {
		case !really:
		case e.IsDir():
			err = fsys.RemoveTree(r.s.FS, name)
		default:
			err = fault.UnlessMissing(r.s.FS.Remove(name))
		}
	}
	if err != nil || !really {
		return err
	}
	return fsys.SyncDir(r.s.FS, dir)
}

// cleanLog takes the values out of errors in a part of the log of operations. A
// line that is written in that moment may be lost, as it may anyhow.
func (r *redaction) cleanLog(name string, really bool) error {
	text, err := fsys.ReadFile(r.s.FS, name)
	if err != nil {
		return fault.UnlessMissing(err) // it has just become too old
	}
	var out []byte
	hits := 0
	for line := range bytes.Lines(text) {
		var op Operation
		parsed := json.Unmarshal(line, &op) == nil
		switch {
		case parsed && r.marks.begunIn([]byte(op.Error)):
			hits++
			op.Error = "[redacted]"
			line = op.Line()
		case !parsed && r.marks.begunIn(line):
			hits++
			continue
		}
		out = append(out, line...)
	}
	r.done.LogLines += hits
	if hits == 0 || !really {
		return nil
	}
	f, err := r.s.FS.OpenFile(name, os.O_RDWR|fsys.NoFollow, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(out, 0)
	if err == nil {
		err = f.Truncate(int64(len(out)))
	}
	return errors.Join(err, f.Close())
}
