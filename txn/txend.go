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
			return err
		}
	}
	if held == nil {
		return fmt.Errorf("was removed again each time it was made")
	}
	err := t.save()
	if err == nil {
		_ = t.link() // see above
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

// sweepTxs ends the open transactions of a scope that are past their time, or were
// committed already, and reports the others. One whose leases belong to a living
// process is kept whatever its age, and so is one that somebody is working on, or
// that is damaged, which is an error when all others are done. What crashes left of
// others is removed.
func (s *Store) sweepTxs(ctx context.Context, sc *workspace.Scope, o RecoverOptions, r *RecoverReport) error {
	txs, err := s.openTxsAround(sc)
	errs := []error{err}
	for _, t := range txs {
		if t.damage != nil {
			errs = append(errs, t.damage)
			r.Open = append(r.Open, t.Info())
			continue
		}
		if err := s.sweepTx(ctx, t, o, r); err != nil {
			errs = append(errs, fault.In(t.dir, err))
		}
	}
	errs = append(errs, s.sweepLinks(o.DryRun, r))
	for _, dir := range s.txDirsOf(sc) {
		errs = append(errs, s.sweepPieces(ctx, dir, o.DryRun, r))
	}
	return errors.Join(errs...)
}

func (s *Store) sweepTx(ctx context.Context, t *OpenTx, o RecoverOptions, r *RecoverReport) error {
	if o.DryRun {
		return s.sweepLocked(ctx, t, o, r)
	}
	held, err := t.lock(ctx, 0)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil // ended meanwhile
	case errors.Is(err, ErrLockTimeout):
		r.Open = append(r.Open, t.Info()) // somebody is working on it
		return nil
	case err != nil:
		return err
	}
	return errors.Join(s.sweepLocked(ctx, t, o, r), t.unlock(held))
}

func (s *Store) sweepLocked(ctx context.Context, t *OpenTx, o RecoverOptions, r *RecoverReport) error {
	err := t.load()
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.setRight(o.DryRun); err != nil {
		return err
	}
	ended, err := t.wasCommitted(ctx)
	switch {
	case err != nil, !ended && !t.expired(o.TTL):
		r.Open = append(r.Open, t.Info())
		return err
	case !o.DryRun:
		err = t.finish(ctx)
	}
	if ended {
		r.Removed = append(r.Removed, t.dir)
	} else {
		r.Expired = append(r.Expired, t.Info())
	}
	return err
}

// setRight lets a transaction that a clock dated in the future begin now, so that its
// time will be over: how old it is nobody knows.
func (t *OpenTx) setRight(dryRun bool) error {
	if !versions.IsAhead(t.data.Created) || dryRun {
		return nil
	}
	t.data.Created = time.Now().UTC()
	return t.save()
}

func (t *OpenTx) expired(ttl time.Duration) bool {
	living := t.data.Owner != nil && t.data.Owner.Alive() == lockmgr.Alive
	return time.Since(t.data.Created) >= ttl && !living
}

// sweepPieces removes directories of transactions that were cut off when they were
// made, or when they ended.
func (s *Store) sweepPieces(ctx context.Context, dir string, dryRun bool, r *RecoverReport) error {
	entries, err := s.src.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil // another user's, if it is there
	}
	if err != nil {
		return fault.In(dir, err)
	}
	var errs []error
	for _, e := range entries {
		if !isTxName(e.Name()) || !e.IsDir() {
			continue
		}
		t := &OpenTx{s: s, dir: filepath.Join(dir, e.Name()), data: txData{ID: e.Name()}}
		if removed, err := t.removePieces(ctx, dryRun); removed {
			r.Removed = append(r.Removed, t.dir)
		} else if err != nil {
			errs = append(errs, fault.In(t.dir, err))
		}
	}
	return errors.Join(errs...)
}

func (t *OpenTx) removePieces(ctx context.Context, dryRun bool) (removed bool, err error) {
	isOne := func() bool {
		_, err := t.s.src.FS.Lstat(filepath.Join(t.dir, txName))
		return !errors.Is(err, fs.ErrNotExist) // or nobody can tell
	}
	if isOne() {
		return false, nil
	}
	if dryRun {
		return true, nil
	}
	held, err := t.lock(ctx, 0)
	if errors.Is(err, ErrLockTimeout) || errors.Is(err, ErrNotFound) || errors.Is(err, fs.ErrPermission) {
		return false, nil // it is being made or removed, or is another user's
	}
	if err != nil {
		return false, err
	}
	if !isOne() {
		err, removed = t.remove(), true
	}
	return removed && err == nil, errors.Join(err, t.unlock(held))
}
