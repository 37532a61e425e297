package fuzz

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
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

// saving is one save at the k-th moment of something.
type saving struct {
	by   editor
	path string
	text string
	at   int // the moment, counted from 1

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
}

// sameSize is a version of another program of the same length as what jtx wrote,
// which only its content tells apart.
func sameSize(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] >= '0' && b[i] <= '8' {
			b[i]++
		}
	}
	return string(b)
}

// TestEditorSavesAtAnyStep: an editor saves before and after each step of a
// commit. Its version must be the current one or in the journal, and so must the
// transaction's, if that was successful.
func TestEditorSavesAtAnyStep(t *testing.T) {
	for kind, file := range map[string]string{"one file": "one/a.json", "first touch": "one/a.json", "three files": "one/b.json", "after an edit": "one/a.json"} {
		for by, save := range editors {
			t.Run(kind+"/"+by, func(t *testing.T) {
				f := realFailing(t, kind)
				e := edited{f, file}
				row := evidence.Start(t, "an editor saves at each step of a commit", "runs")
				for at := 1; ; at++ {
					s := &saving{by: save, text: sameSize(f.old[file]), at: at}
					dir := scratch(t)
					if err := e.meet(dir, s, 0); err != nil {
						t.Fatalf("moment %d: %v", at, err)
					}
					row.Tried++
					if s.moments < at {
						break
					}
				}
			})
		}
	}
}

// TestEditorSavesDuringRecovery cuts a commit off at a random step, and lets an
// editor save at a random step of what recovers it.
func TestEditorSavesDuringRecovery(t *testing.T) {
	row := evidence.Start(t, "an editor saves during recovery", "runs")
	rng := random(t, row)
	names := []string{"in place", "by rename", "truncates first"}
	for _, c := range [][2]string{{"one file", "one/a.json"}, {"three files", "one/b.json"}} {
		kind, file := c[0], c[1]
		f := realFailing(t, kind)
		e := edited{f, file}
		for range 150 * *effort {
			by, cut, at := names[rng.IntN(len(names))], 1+rng.IntN(60), 1+rng.IntN(40)
			s := &saving{by: editors[by], text: sameSize(f.old[file]), at: at}
			if err := e.meet(scratch(t), s, cut); err != nil {
				t.Fatalf("%s: cut off at moment %d, saved %s at moment %d: %v", kind, cut, by, at, err)
			}
			row.Tried++
		}
	}
}

// errCutOff is what the hook panics with where the process is to end.
var errCutOff = errors.New("cut off")

// meet runs the last step with the save. With cut the step is cut off there and
// the save meets its recovery.
func (e *edited) meet(dir string, s *saving, cut int) (err error) {
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
		w, err := e.open(hookedFS{fsys.OS, s.hook}, dir, 0)
		if err != nil {
			return err
		}
		err = sweep(w.store, dir)
		if err != nil && !errors.Is(err, txn.ErrDamaged) && !errors.Is(err, txn.ErrConflict) {
			return err
		}
	} else {
		w, err := e.open(hookedFS{fsys.OS, s.hook}, dir, 0)
		if err != nil {
			return err
		}
		answer = e.steps[len(e.steps)-1](w)
	}
	saved := s.moments >= s.at
	s.end()
	if s.err != nil {
		return s.err
	}
	return e.judgeSave(dir, s, saved, answer)
}

// runCutOff runs the last step until the hook panics.
func (e *edited) runCutOff(dir string, hook func()) {
	defer func() {
		if p := recover(); p != nil && p != errCutOff {
			panic(p)
		}
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
		if err := e.kept(dir, e.file, s.text); err != nil {
			return fmt.Errorf("the editor's version: %w", err)
		}
	}
	if answer == nil || lagging(answer) {
		for _, name := range e.files {
			// Where the editor was first, the transaction ran on its version.
			if text, ok := e.new[name]; ok && !(saved && name == e.file) {
				if err := e.kept(dir, name, text); err != nil {
					return fmt.Errorf("the transaction's version: %w", err)
				}
			}
		}
	}
	return e.goesOn(w, dir)
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
