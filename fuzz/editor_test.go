package fuzz

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal/fsys"
)

// hookedFS calls a function before each call that changes something, and after it.
type hookedFS struct {
	fsys.FS
	hook func()
}

type hookedFile struct {
	fsys.File
	hook func()
}

func (h hookedFS) around(call func() error) error {
	h.hook()
	defer h.hook()
	return call()
}

func (h hookedFS) OpenFile(name string, flag int, perm fs.FileMode) (f fsys.File, err error) {
	open := func() error { f, err = h.FS.OpenFile(name, flag, perm); return err }
	if flag&os.O_CREATE == 0 {
		err = open()
	} else {
		err = h.around(open)
	}
	if err != nil {
		return nil, err
	}
	return hookedFile{f, h.hook}, nil
}

func (h hookedFS) Mkdir(name string, perm fs.FileMode) error {
	return h.around(func() error { return h.FS.Mkdir(name, perm) })
}

func (h hookedFS) Rename(a, b string) error {
	return h.around(func() error { return h.FS.Rename(a, b) })
}

func (h hookedFS) RenameNoReplace(a, b string) error {
	return h.around(func() error { return h.FS.RenameNoReplace(a, b) })
}

func (h hookedFS) Exchange(a, b string) error {
	return h.around(func() error { return h.FS.Exchange(a, b) })
}

func (h hookedFS) Remove(name string) error {
	return h.around(func() error { return h.FS.Remove(name) })
}

func (f hookedFile) Write(b []byte) (int, error) {
	f.hook()
	defer f.hook()
	return f.File.Write(b)
}

func (f hookedFile) WriteAt(b []byte, off int64) (int, error) {
	f.hook()
	defer f.hook()
	return f.File.WriteAt(b, off)
}

// An editor is another program that saves a file. It returns what ends the save,
// where that comes later.
type editor func(path, text string) (finish func() error, err error)

var editors = map[string]editor{
	"in place": func(path, text string) (func() error, error) {
		return nil, os.WriteFile(path, []byte(text), 0o600)
	},
	"by rename": func(path, text string) (func() error, error) {
		if err := os.WriteFile(path+".swp", []byte(text), 0o600); err != nil {
			return nil, err
		}
		return nil, os.Rename(path+".swp", path)
	},
	"truncates first": func(path, text string) (func() error, error) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, err
		}
		return func() error {
			_, err := f.WriteString(text)
			return errors.Join(err, f.Close())
		}, nil
	},
}

// changes are what a save makes of the text that its editor has read, the one before
// the transaction.
var changes = map[string]func(text string) string{
	// A version of the same length as what jtx wrote, which only its content tells
	// apart. Where the file is behind it clashes with what was committed.
	"everything": func(text string) string {
		b := []byte(text)
		for i := range b {
			if b[i] >= '0' && b[i] <= '8' {
				b[i]++
			}
		}
		return string(b)
	},
	// No transaction changes this member. Where the file is behind the change is
	// carried over.
	"one member": func(text string) string { return strings.Replace(text, "2]", "9]", 1) },
}

// saving is one save at the k-th moment of something.
type saving struct {
	by     editor
	change func(text string) string
	path   string
	text   string
	at     int // the moment, counted from 1

	moments int
	finish  func() error
	err     error
}

func (s *saving) end() {
	if s.finish != nil {
		s.err = errors.Join(s.err, s.finish())
		s.finish = nil
	}
}

func (s *saving) hook() {
	s.end()
	if s.moments++; s.moments == s.at {
		s.finish, s.err = s.by(s.path, s.text)
	}
}

// edited is a workload of which the last step, or the recovery of it, meets a save.
type edited struct {
	*failing
	file string // that is saved

	again        bool // what meets the recovery is the last step, done again, and no sweep
	transactions int  // of the setup, on that file
}

func newEdited(t *testing.T, kind, file string) *edited {
	e := &edited{failing: realFailing(t, kind), file: file}
	if kind != "first touch" { // else the first step of ready is the only transaction
		e.transactions = 1
	}
	return e
}

// saves are the ways to save, each with each change where the file may be behind.
func (e *edited) saves() map[string]saving {
	all := map[string]saving{}
	for how, by := range editors {
		for what, change := range changes {
			if what == "everything" || e.behind.Delay > 0 && (how == "by rename" || *effort > 1) {
				all[how+", "+what] = saving{by: by, change: change, text: change(e.old[e.file])}
			}
		}
	}
	return all
}

// run runs the workload with a save, perhaps cut off: see meet.
func (e *edited) run(t *testing.T, s saving, cut, at int) (met bool, err error) {
	s.at = at
	err = e.still(t, func() error { return e.meet(scratch(t), &s, cut) })
	return s.moments >= at, err
}

// TestEditorSavesAtAnyStep: an editor saves before and after each step of a
// commit, and of what carries its files forward where they are behind. Its version
// must be the current one, in the journal, merged into what was committed, or set
// aside where that is not possible; and the transaction's must be in the journal, if
// that was successful.
func TestEditorSavesAtAnyStep(t *testing.T) {
	for kind, file := range map[string]string{"one file": "one/a.json", "first touch": "one/a.json", "three files": "one/b.json", "after an edit": "one/a.json", "after a small edit": "one/a.json",
		"behind": "one/a.json", "behind, flushed": "one/a.json", "behind, late": "one/a.json", "behind, by itself": "one/a.json", "behind, three files": "one/b.json"} {
		e := newEdited(t, kind, file)
		for how, s := range e.saves() {
			t.Run(kind+"/"+how, func(t *testing.T) {
				row := evidence.Start(t, e.kind("an editor saves at each step of a commit"), "runs")
				for at, met := 1, true; met; at++ {
					var err error
					if met, err = e.run(t, s, 0, at); err != nil {
						t.Fatalf("moment %d: %v", at, err)
					}
					row.Tried++
				}
			})
		}
	}
}

// kind names a row.
func (f *failing) kind(what string) string {
	if f.behind.Delay > 0 {
		return what + "; write-behind"
	}
	return what
}

// TestEditorSavesAtAnyStepOfRecovery cuts a commit off wherever that leaves
// something else on the disk, and lets an editor save at each step of what recovers
// it.
func TestEditorSavesAtAnyStepOfRecovery(t *testing.T) {
	kinds := []string{"one file", "one file, again", "behind, late"}
	if *effort > 1 {
		kinds = append(kinds, "first touch", "after an edit", "after a small edit, again")
	}
	for _, kind := range kinds {
		e := newEdited(t, strings.TrimSuffix(kind, ", again"), "one/a.json")
		e.again = strings.HasSuffix(kind, ", again")
		cuts := e.cuts(t)
		for how, s := range e.saves() {
			t.Run(kind+"/"+how, func(t *testing.T) {
				row := evidence.Start(t, e.kind("an editor saves at each step of recovery"), "runs")
				for _, cut := range cuts {
					for at, met := 1, true; met; at++ {
						var err error
						if met, err = e.run(t, s, cut, at); err != nil {
							t.Fatalf("cut off at moment %d, saved at moment %d: %v", cut, at, err)
						}
						row.Tried++
					}
				}
			})
		}
	}
}

// cuts are the moments of the last step at which something else is on the disk than
// at the moment before.
func (e *edited) cuts(t *testing.T) (moments []int) {
	dir := scratch(t)
	err := e.still(t, func() error {
		if err := e.setup(dir); err != nil {
			return err
		}
		moment, last := 0, treeSum(dir)
		w, err := e.open(hookedFS{fsys.OS, func() {
			moment++
			if now := treeSum(dir); now != last {
				moments, last = append(moments, moment), now
			}
		}}, dir, 0)
		if err != nil {
			return err
		}
		return e.steps[len(e.steps)-1](w)
	})
	if err != nil {
		t.Fatal(err)
	}
	return moments
}

// treeSum is a hash of all files below a directory.
func treeSum(dir string) uint64 {
	h := fnv.New64a()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%q %q ", path, data)
		return err
	})
	if err != nil {
		panic(err)
	}
	return h.Sum64()
}

// TestEditorSavesDuringRecovery cuts a commit off at a random step, and lets an
// editor save at a random step of what recovers it: for commits of many steps.
func TestEditorSavesDuringRecovery(t *testing.T) {
	row := evidence.Start(t, "an editor saves at a random step of recovery", "runs")
	rng := random(t, row)
	e := newEdited(t, "three files", "one/b.json")
	all := e.saves()
	names := slices.Sorted(maps.Keys(all))
	for range 150 * *effort {
		how, cut, at := names[rng.IntN(len(names))], 1+rng.IntN(60), 1+rng.IntN(40)
		if _, err := e.run(t, all[how], cut, at); err != nil {
			t.Fatalf("cut off at moment %d, saved %s at moment %d: %v", cut, how, at, err)
		}
		row.Tried++
	}
}

// errCutOff is what the hook panics with where the process is to end.
var errCutOff = errors.New("cut off")

// meet runs the last step with the save, and what carries its files forward. With cut
// the step is cut off there and the save meets its recovery.
func (e *edited) meet(dir string, s *saving, cut int) error {
	if err := e.setup(dir); err != nil {
		return err
	}
	s.path = filepath.Join(dir, e.file)
	answer := errCutOff
	if cut > 0 {
		moments := 0
		e.runCutOff(dir, func() {
			if moments++; moments == cut {
				panic(errCutOff)
			}
		})
	}
	w, err := e.open(hookedFS{fsys.OS, s.hook}, dir, 0)
	if err != nil {
		return err
	}
	if cut > 0 && e.again {
		_ = e.steps[len(e.steps)-1](w) // TestEditorSavesAtAnyStep judges answers
	} else if cut > 0 {
		err = sweep(w.store, dir)
	} else if answer = e.steps[len(e.steps)-1](w); e.finish != nil {
		err = e.finish(w.store)
	}
	if err != nil && !errors.Is(err, txn.ErrDamaged) && !errors.Is(err, txn.ErrConflict) {
		return err
	}
	saved := s.moments >= s.at
	s.end()
	if s.err != nil {
		return s.err
	}
	return e.judgeSave(dir, s, saved, answer)
}

// runCutOff runs the last step until the hook panics. Nothing closes the store of a
// process that has ended.
func (e *edited) runCutOff(dir string, hook func()) {
	others := e.stores
	defer func() {
		//lint:ignore errorlint a panic has a value, not an error that is wrapped
		if p := recover(); p != nil && p != errCutOff {
			panic(p)
		}
		e.stores = others
	}()
	if w, err := e.open(hookedFS{fsys.OS, hook}, dir, 0); err == nil {
		_ = e.steps[len(e.steps)-1](w) // that it was not cut off is fine
	}
}

// judgeSave lets jtx settle what was left, and looks for every version.
func (e *edited) judgeSave(dir string, s *saving, saved bool, answer error) error {
	w, err := e.open(fsys.OS, dir, 0)
	if err != nil {
		return err
	}
	if err := sweep(w.store, dir); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := verify(w.store, dir); err != nil {
		return err
	}
	if saved {
		if err := e.keptSave(dir, s); err != nil {
			return fmt.Errorf("the editor's version: %w", err)
		}
	}
	if answer == nil || lagging(answer) {
		if err := e.onlyOnce(w.store); err != nil {
			return err
		}
		for _, name := range e.files {
			// Where the editor was first, the transaction ran on its version.
			text, ok := e.new[name]
			if !ok {
				continue
			}
			err := e.kept(dir, name, text)
			if saved && name == e.file && err != nil {
				err = e.kept(dir, name, s.change(text))
			}
			if err != nil && (e.behind.Delay > 0 || !saved || name != e.file) {
				return fmt.Errorf("the transaction's version: %w", err)
			}
		}
	}
	return e.goesOn(w, dir)
}

// onlyOnce counts the transactions in the file's history: those of the setup, and one,
// which may have found that the editor had done the same.
func (e *edited) onlyOnce(s *txn.Store) error {
	n := 0
	for entry, err := range history.Log(context.Background(), s, []string{e.file}, history.LogOptions{}) {
		if errors.Is(err, txn.ErrNotFound) {
			break
		}
		if err != nil {
			return err
		}
		if entry.Actor == "t" {
			n++
		}
	}
	if most := e.transactions + 1; n > most {
		return fmt.Errorf("%d transactions in the history, expected %d", n, most)
	}
	return nil
}

// keptSave looks for what the editor saved: as it was, or with what the transaction did.
func (e *edited) keptSave(dir string, s *saving) error {
	err := e.kept(dir, e.file, s.text)
	if err == nil {
		return nil
	}
	for text, scanErr := range versionsOf(dir, e.file) {
		if scanErr != nil {
			return scanErr
		}
		if carries(text, e.old[e.file], e.new[e.file], s.text) {
			return nil
		}
	}
	return fmt.Errorf("%w, nor with what the transaction did", err)
}

// carries tells whether a version has all that an edit has changed in old, and what it
// has left alone is as in old, or as in new.
func carries(text, old, new, edit string) bool {
	before, _ := decoded(old).(map[string]any)
	after, _ := decoded(new).(map[string]any)
	edited, _ := decoded(edit).(map[string]any)
	now, ok := decoded(text).(map[string]any)
	for _, name := range slices.Concat(slices.Collect(maps.Keys(edited)), slices.Collect(maps.Keys(now))) {
		switch {
		case !reflect.DeepEqual(before[name], edited[name]):
			ok = ok && reflect.DeepEqual(now[name], edited[name])
		default:
			ok = ok && (reflect.DeepEqual(now[name], before[name]) || reflect.DeepEqual(now[name], after[name]))
		}
	}
	return ok
}

// kept looks for a version in the file and in its journal.
func (e *edited) kept(dir, name, text string) error {
	now, err := os.ReadFile(filepath.Join(dir, name))
	if err == nil && string(now) == text {
		return nil
	}
	ok, err := recorded(dir, name, text)
	if err == nil && !ok {
		err = fmt.Errorf("%s: %.40q is neither in the file, which is %.40q, nor in the journal", name, text, now)
	}
	return err
}
