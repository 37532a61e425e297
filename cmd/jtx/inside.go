package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

// change runs fn as a transaction over files and prints the outcome, or stages
// what it does in the open transaction that the flags name.
func (a *app) change(f *changeFlags, files []string, fn func(*txn.Tx) error) (failed error) {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	if !f.asLines { // there a name is a name
		if err := checkChangeable(files); err != nil {
			return err
		}
	}
	opt, err := f.lockFlags.options()
	if err != nil {
		return err
	}
	if opt.Style, err = f.style(); err != nil {
		return err
	}
	a.Signals.Begin()
	s, err := a.StoreEarly(opt)
	if err != nil {
		return err
	}
	opts, err := f.commitFlags.options(s)
	if err != nil {
		return err
	}
	lost := lostComments{a: a, files: files}
	caught := func(tx *txn.Tx) error {
		a.Signals.Wait()
		return fn(tx)
	}
	if id := f.id(); id != "" {
		return a.stage(s, id, f, files, caught)
	}
	defer func() { lost.tell(failed) }()
	all, err := f.withExpected(files)
	if err != nil {
		return err
	}
	res, err := s.Do(a.Ctx, all, func(tx *txn.Tx) error { return lost.around(tx, caught) }, opts...)
	if err != nil {
		return f.noDirectory(all, err)
	}
	o := cli.NewOutcome(res, all, f.dryRun)
	o.Single = !f.asLines
	return a.PrintOutcome(o)
}

// noDirectory says of an error that a file's directory is missing, if it is.
func (c *commitFlags) noDirectory(files []string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) || c.parents {
		return err
	}
	for _, name := range files {
		dir := filepath.Dir(name)
		if _, gone := os.Stat(dir); !errors.Is(gone, fs.ErrNotExist) {
			continue
		}
		e := &cli.Error{Exit: cli.ExitNo, Msg: fmt.Sprintf("%s: there is no directory %s", cli.QuoteWord(name), cli.QuoteWord(dir))}
		if c.set != nil && c.set.Lookup("parents") != nil {
			return e.WithHint("-p makes it")
		}
		return e
	}
	return err
}

// withExpected adds the files of --if-rev: they are locked and checked with those
// that change.
func (c *commitFlags) withExpected(files []string) ([]string, error) {
	want, err := c.expectations()
	if err != nil {
		return nil, err
	}
	all := append([]string(nil), files...)
	for _, name := range sortedKeys(want) {
		if !containsFile(files, name) {
			all = append(all, name)
		}
	}
	return all, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func containsFile(files []string, name string) bool {
	for _, f := range files {
		if filepath.Clean(f) == filepath.Clean(name) {
			return true
		}
	}
	return false
}

// stage does fn inside the open transaction. What would commit it, and how, is
// for jtx commit to say.
func (a *app) stage(s *txn.Store, id string, f *changeFlags, files []string, fn func(*txn.Tx) error) (failed error) {
	if f.dryRun {
		return cli.Usagef("--dry-run has no meaning inside transaction %s: nothing is changed before it commits", id).
			WithHint("jtx commit --dry-run %s prints what the whole transaction would do", id)
	}
	want, err := f.expectations()
	if err != nil {
		return err
	}
	all, err := f.withExpected(files)
	if err != nil {
		return err
	}
	t, err := a.resumed(s, id)
	if err != nil {
		return err
	}
	lost := lostComments{a: a, files: files}
	defer func() { lost.tell(failed) }()
	err = t.Update(a.Ctx, all, func(tx *txn.Tx) error {
		for _, name := range sortedKeys(want) {
			if err := t.Expect(name, want[name]); err != nil {
				return err
			}
		}
		return lost.around(tx, fn)
	})
	if err != nil {
		return err
	}
	return a.printStaged(t.ID(), files)
}

type stagedJSON struct {
	TX     string          `json:"tx"`
	Staged []*cli.JSONFile `json:"staged"`
}

// printStaged prints nothing but with --json: nothing is committed yet.
func (a *app) printStaged(id string, files []string) error {
	if !a.JSON {
		return nil
	}
	staged := stagedJSON{TX: id}
	for _, f := range files {
		staged.Staged = append(staged.Staged, cli.NewJSONFile(f))
	}
	return a.WriteJSON(staged)
}

// view runs fn on one consistent state of files, or on what the open transaction
// that the flags name sees.
func (a *app) view(f *readFlags, files []string, fn func(*txn.Tx) error) error {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	opt, err := f.lockFlags.options()
	if err != nil {
		return err
	}
	s, err := a.StoreEarly(opt)
	if err != nil {
		return err
	}
	id := f.id()
	if id == "" {
		return s.View(a.Ctx, files, fn)
	}
	t, err := a.resumed(s, id)
	if err != nil {
		return err
	}
	return t.View(a.Ctx, files, fn)
}
