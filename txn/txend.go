package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// create makes the transaction's directory, and holds its lock until it is one: a
// directory that is not locked and no transaction was left by a crash. The pointer
// in the user's state directory is a convenience here: where it can't be made, the
// transaction is found from its workspace.
func (t *OpenTx) create(ctx context.Context) error {
	if err := fsys.MkdirAll(t.s.src.FS, filepath.Dir(t.dir), txDirMode); err != nil {
		return err
	}
	var held *lockmgr.Held
	for range workspace.MaxRounds {
		if err := t.s.src.FS.Mkdir(t.dir, txDirMode); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		var err error
		held, err = t.lock(ctx, t.s.src.Patience())
		if err == nil {
			break
		}
		if !errors.Is(err, ErrNotFound) { // else a sweep was faster than the lock
			return errors.Join(err, t.remove())
		}
	}
	if held == nil {
		return fmt.Errorf("was removed again each time it was made")
	}
	err := t.save()
	if err == nil {
		_ = t.link() // see above
	} else {
		err = errors.Join(err, t.remove())
	}
	return errors.Join(err, t.unlock(held))
}

// lock keeps other processes from working on the same open transaction.
func (t *OpenTx) lock(ctx context.Context, patience time.Duration) (*lockmgr.Held, error) {
	held, err := t.s.src.Locks.Acquire(ctx, patience, []lockmgr.Request{{
		Order: t.data.ID, Path: filepath.Join(t.dir, workspace.LockName), Mode: lockmgr.Exclusive, Perm: txMode, Name: "transaction " + t.data.ID,
	}})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Kind: ErrNotFound, Err: fmt.Errorf("no open transaction %s", t.data.ID)}
	}
	return held, fault.In("", err)
}

// finish ends the leases and removes the transaction. Where a lease can't be ended the
// transaction stays, so that it can be tried again.
func (t *OpenTx) finish(ctx context.Context) error {
	if err := t.endLeases(ctx); err != nil {
		return err
	}
	return t.remove()
}

// remove takes the transaction's directory away: tx.json first, so that what a
// crash leaves is no transaction any more.
func (t *OpenTx) remove() error {
	err := t.s.src.FS.Remove(filepath.Join(t.dir, txName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.In(t.dir, err)
	}
	if err := t.unlink(); err != nil {
		return fault.In(t.dir, err)
	}
	err = fsys.RemoveTree(t.s.src.FS, t.dir)
	if errors.Is(err, syscall.ENOTEMPTY) {
		// The lock is open: file systems behind FUSE, or a server, give what is removed
		// then another name until it is not.
		t.hidden, err = true, nil
	}
	return fault.In(t.dir, err)
}

// unlock gives the transaction's lock back.
func (t *OpenTx) unlock(held *lockmgr.Held) error {
	err := held.Release()
	if t.hidden {
		err = errors.Join(err, fault.In(t.dir, fsys.RemoveTree(t.s.src.FS, t.dir)))
	}
	return err
}

// committed finds the transaction in the history of a file that it changed, between
// the revision it was pinned at and its newest: nil where it is not there. It fails
// with ErrConflict where that part of the history is not kept any more, so that
// nobody can tell.
func (t *OpenTx) committed(target *workspace.Target, f *txFile, newest *wal.Record) (*wal.Record, error) {
	id, err := wal.ParseID(t.data.ID)
	if err != nil {
		return nil, &Error{Kind: ErrDamaged, File: t.dir, Err: err}
	}
	lost := func() error {
		return &Error{Kind: ErrConflict, File: target.Name,
			Err: fmt.Errorf("its history since revision %d, where transaction %s began, is not kept any more: whether that was committed before can't be told", f.Rev, id)}
	}
	if newest == nil || newest.Rev < f.Rev {
		if f.Rev > 0 {
			return nil, lost()
		}
		return nil, nil
	}
	reached := newest.Rev
	for rec, err := range t.s.src.Versions(target, newest.LSN) {
		if err != nil {
			return nil, fault.In(target.Name, err)
		}
		if reached = rec.Rev; reached <= f.Rev {
			return nil, nil
		}
		if versions.HoldsTx(rec, id) {
			return rec, nil
		}
	}
	if reached > f.Rev+1 {
		return nil, lost()
	}
	return nil, nil
}

// wasCommitted tells whether the transaction was committed and then not ended, since
// a crash came between. What can't be looked at speaks neither for that nor against.
func (t *OpenTx) wasCommitted(ctx context.Context) (bool, error) {
	for _, f := range t.data.Files {
		if !f.Changed {
			continue
		}
		at, err := t.s.src.Resolve(ctx, string(f.File))
		if err != nil || at.WS == nil {
			continue
		}
		heads, err := t.s.src.Heads(ctx, []*workspace.Target{at}, versions.Looking{Content: true, Whole: true, Silent: true})
		if err == nil && heads[0].Doubt != nil {
			return false, heads[0].Doubt
		}
		if err != nil || heads[0].Last == 0 {
			continue
		}
		newest, err := t.s.src.VersionAt(at, heads[0].Last)
		if err != nil {
			continue
		}
		if rec, err := t.committed(at, f, newest); err == nil {
			return rec != nil, nil // each file of a unit has it, or none
		}
	}
	return false, nil
}
