package txn

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// View runs fn on one consistent state of files, relative to the working
// directory. See [Store.View].
func View(files []string, fn func(*Tx) error) error {
	return ViewContext(context.Background(), files, fn)
}

// ViewContext is [View] with a context, which ends the wait for locks.
func ViewContext(ctx context.Context, files []string, fn func(*Tx) error) error {
	s, err := shared()
	if err != nil {
		return err
	}
	return s.View(ctx, files, fn)
}

// View runs fn on one consistent state of files: never a part of a transaction,
// never a change that is not committed. It creates nothing and, while nobody
// writes, takes no lock. In fn every change fails with ErrReadOnly.
func (s *Store) View(ctx context.Context, files []string, fn func(*Tx) error) error {
	names := s.src.AbsAll(files)
	tx, err := s.snapshot(ctx, names)
	if err != nil {
		return fault.AsNamed(err, names, files)
	}
	tx.readOnly = true
	if len(tx.drafts) > 0 && tx.drafts[0].name == names[0] {
		tx.last, tx.lastName = tx.drafts[0], files[0]
	}
	return fault.AsNamed(protect(fn, tx), names, files)
}

// snapshot is a transaction on one consistent state of files.
func (s *Store) snapshot(ctx context.Context, names []string) (*Tx, error) {
	if tx := s.cachedSnapshot(names); tx != nil {
		return tx, nil
	}
	asked := time.Now()
	targets, err := s.resolveReadable(ctx, names)
	if err != nil {
		return nil, err
	}
	var tx *Tx
	err = s.src.AtRest(ctx, targets, versions.Looking{Content: true}, func(seen []*workspace.Target) error {
		tx, targets = newEmptyTx(s), seen
		for _, t := range seen {
			d, err := shown(t)
			if err != nil {
				return err
			}
			tx.add(d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		s.remember(t, asked)
	}
	return tx, nil
}

// resolveReadable resolves files for a look at their content. A workspace that can't be
// read does not keep anybody from one file that can.
func (s *Store) resolveReadable(ctx context.Context, names []string) ([]*workspace.Target, error) {
	targets := make([]*workspace.Target, len(names))
	for i, name := range names {
		t, err := s.src.Resolve(ctx, name)
		if t != nil && len(names) == 1 && errors.Is(err, fs.ErrPermission) {
			t.Err = err
		} else if err != nil {
			return nil, err
		}
		targets[i] = t
	}
	return targets, nil
}

// shown is a file that was looked at, as a view shows it.
func shown(t *workspace.Target) (*draft, error) {
	found, err := t.Comes()
	if err == nil {
		err = found.Err
	}
	return looked(t, found, err)
}

// pinnable is a file that was looked at, as an open transaction takes it: it may be given
// a document.
func pinnable(t *workspace.Target) (*draft, error) {
	found, err := t.Comes()
	if err == nil {
		err = t.MayBegin(&found)
	}
	return looked(t, found, err)
}

func looked(t *workspace.Target, found recovery.Found, err error) (*draft, error) {
	if err != nil {
		return nil, fault.In(t.Name, err)
	}
	return &draft{name: t.Name, real: t.Real, found: found, doc: found.Doc, rev: versions.HeadOf(t).Rev}, nil
}
