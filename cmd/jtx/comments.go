package main

import (
	"errors"
	"slices"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// lostComments tells on a terminal which comments went, because that which they were
// about went.
type lostComments struct {
	a     *app
	files []string
	gone  map[string][]string
}

// around calls fn, and compares the comments before and after it.
func (l *lostComments) around(tx *txn.Tx, fn func(*txn.Tx) error) error {
	if len(l.files) == 0 || l.a.Quiet || l.a.JSON || !cli.IsTerminal(l.a.Stderr) {
		return fn(tx)
	}
	before, err := l.comments(tx)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil || len(before) == 0 {
		return err
	}
	after, err := l.comments(tx)
	l.gone = map[string][]string{}
	for _, file := range l.files {
		left := after[file]
		for _, c := range before[file] {
			if i := slices.Index(left, c); i >= 0 {
				left = slices.Delete(left, i, i+1)
			} else {
				l.gone[file] = append(l.gone[file], c)
			}
		}
	}
	return err
}

// comments are those of the files that are there.
func (l *lostComments) comments(tx *txn.Tx) (map[string][]string, error) {
	found := map[string][]string{}
	for _, file := range l.files {
		text, err := tx.Glance(file)
		if errors.Is(err, txn.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if list := jsonpatch.Trusted(text, jsonpatch.JSONC).Comments(); len(list) > 0 {
			found[file] = list
		}
	}
	return found, nil
}

func (l *lostComments) tell(failed error) {
	if failed != nil {
		return
	}
	for _, file := range l.files {
		for _, c := range l.gone[file] {
			l.a.Note("%s: the comment %s went with what it was about", file, c)
		}
	}
}
