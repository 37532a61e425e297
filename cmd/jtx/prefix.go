package main

import (
	"errors"
	"strings"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

// prefixForm is the beginning of a transaction's id: long enough that it is no other
// word, and with a letter, so that it is no revision.
var prefixForm = cli.Pattern(`^0[0-9]*[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]*$`)

const minPrefix = 4

func isPrefix(word string) bool {
	return len(word) >= minPrefix && len(word) < len(wal.ID{}.String()) && prefixForm().MatchString(word)
}

// openID is the whole id of an open transaction that a word begins; another word is
// returned as it is.
func (a *app) openID(s *txn.Store, word string) (string, error) {
	if !isPrefix(word) {
		return word, nil
	}
	open, err := s.OpenTxs(a.Ctx, nil)
	if err != nil {
		return word, err
	}
	var found []string
	for _, t := range open {
		if strings.HasPrefix(t.ID, word) {
			found = append(found, t.ID)
		}
	}
	return theOnly(word, found)
}

// resumed is an open transaction, named by its id or the beginning of that.
func (a *app) resumed(s *txn.Store, word string) (*txn.OpenTx, error) {
	id, err := a.openID(s, word)
	if err != nil {
		return nil, err
	}
	t, err := s.Resume(a.Ctx, id)
	if errors.Is(err, txn.ErrNotFound) {
		err = a.notOpen(s, id, err)
	}
	return t, err
}

// recordedID is the same for a transaction of the history.
func (a *app) recordedID(s *txn.Store, word string) (string, error) {
	if !isPrefix(word) {
		return word, nil
	}
	var found []string
	for e, err := range history.Log(a.Ctx, s, nil, history.LogOptions{}) {
		if err != nil {
			return word, err
		}
		if id := e.ID.String(); strings.HasPrefix(id, word) {
			found = append(found, id)
		}
	}
	return theOnly(word, found)
}

func theOnly(word string, found []string) (string, error) {
	switch len(found) {
	case 0:
		return word, nil
	case 1:
		return found[0], nil
	}
	return "", cli.Usagef("%s begins the ids of %d transactions", word, len(found)).WithHint("they are %s", strings.Join(found[:min(len(found), 4)], ", "))
}

// expandedVersion writes a version that is named by the beginning of an id in full.
func (a *app) expandedVersion(text string) (string, error) {
	if !isPrefix(text) {
		return text, nil
	}
	s, err := a.StoreEarly(txn.Options{})
	if err != nil {
		return text, err
	}
	return a.recordedID(s, text)
}

// placeIn reads a place, which may be counted from the end of an array in a file.
func (a *app) placeIn(file, word string) (string, error) {
	ptr, err := change.Place(word)
	if err != nil || !strings.Contains(ptr, "\x00") {
		return ptr, err
	}
	s, err := a.StoreEarly(txn.Options{})
	if err != nil {
		return "", err
	}
	err = s.View(a.Ctx, []string{file}, func(tx *txn.Tx) (err error) {
		ptr, err = change.Resolve(tx, file, ptr)
		return err
	})
	return ptr, err
}
