package txn

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/wal"
)

// grant takes a lease on every file of the transaction. A file that was changed
// between its pinning and the lease is a conflict.
func (t *OpenTx) grant(ctx context.Context, command string) error {
	return t.onFiles(ctx, func(ses *session, target *target, f *txFile) error {
		if pinOf(target.file.Found.Version) != f.Pinned {
			return &Error{Kind: ErrConflict, File: target.name, Err: errorf("changed while the transaction began")}
		}
		l, err := ses.held.Grant(filepath.Join(target.dir, lockName), lockmgr.Lease{
			Tx: t.data.ID, Owner: t.data.Owner, Granted: now(), Expires: t.data.Expires, Command: command,
		})
		f.Token = l.Token
		return fail(target.name, err)
	})
}

// onFiles calls fn for each file of the transaction, with all of them locked.
func (t *OpenTx) onFiles(ctx context.Context, fn func(*session, *target, *txFile) error) error {
	var names []string
	for _, f := range t.data.Files {
		names = append(names, string(f.File))
	}
	if len(names) == 0 {
		return nil
	}
	c := t.s.newCall(nil)
	c.lease, c.mendDamage = t.data.ID, true
	return t.s.withLocks(ctx, names, c, func(ses *session) error {
		for _, f := range t.data.Files {
			if err := fn(ses, ses.byName(string(f.File)), f); err != nil {
				return err
			}
		}
		return nil
	})
}

// fence makes sure, while the locks are held, that every lease which this
// transaction was granted is still its own.
func (t *OpenTx) fence(ses *session) error {
	for _, f := range t.data.Files {
		if f.Token == 0 {
			continue
		}
		target := ses.byName(string(f.File))
		if err := ses.held.CheckLease(filepath.Join(target.dir, lockName), t.data.ID, f.Token); err != nil {
			return fail(target.name, err)
		}
	}
	return nil
}

// finish ends the leases and removes the transaction.
func (t *OpenTx) finish(ctx context.Context) error {
	leased := false
	for _, f := range t.data.Files {
		leased = leased || f.Token != 0
	}
	var err error
	if leased {
		err = t.onFiles(ctx, func(ses *session, target *target, f *txFile) error {
			err := ses.held.EndLease(filepath.Join(target.dir, lockName), t.data.ID)
			if errors.Is(err, lockmgr.ErrLeaseBroken) {
				return nil // it has ended already
			}
			return fail(target.name, err)
		})
	}
	return errors.Join(err, t.remove())
}

// OpenTxs lists the open transactions kept in the workspaces at, above and below
// the paths, and those that this user began outside of any, oldest first.
func (s *Store) OpenTxs(ctx context.Context, paths []string) ([]OpenTxInfo, error) {
	sc, err := s.scope(ctx, paths)
	if err != nil {
		return nil, err
	}
	txs, err := s.openTxsAround(sc)
	if err != nil {
		return nil, err
	}
	var list []OpenTxInfo
	for _, t := range txs {
		list = append(list, t.Info())
	}
	return list, nil
}

// openTxsAround opens the transactions of a scope's workspaces, and those in the
// user's state directory, oldest first: their ids sort by age.
func (s *Store) openTxsAround(sc *scope) ([]*OpenTx, error) {
	var dirs []string
	for _, w := range sc.workspaces {
		dirs = append(dirs, filepath.Join(w.meta(), txDir))
	}
	if home, err := userTxDir(); err == nil {
		dirs = append(dirs, home)
	}
	var all []*OpenTx
	for _, dir := range dirs {
		txs, err := s.openTxsIn(dir)
		if errors.Is(err, fs.ErrPermission) {
			continue // another user's: this one has begun none there
		}
		if ignoreNotExist(err) != nil {
			return nil, fail(dir, err)
		}
		all = append(all, txs...)
	}
	slices.SortFunc(all, func(a, b *OpenTx) int { return compare(a.data.ID, b.data.ID) })
	return all, nil
}

// openTxsIn opens the transactions that are kept in dir. A symbolic link there
// points to one that is kept in a workspace. Damaged ones are among them.
func (s *Store) openTxsIn(dir string) ([]*OpenTx, error) {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []*OpenTx
	for _, e := range entries {
		if _, err := wal.ParseID(e.Name()); err != nil || e.Type()&fs.ModeSymlink != 0 {
			continue
		}
		t := &OpenTx{s: s, dir: filepath.Join(dir, e.Name())}
		switch err := t.load(); {
		case t.damage != nil:
			list = append(list, t)
		case errors.Is(err, ErrNotFound): // being made or removed
		case errors.Is(err, fs.ErrPermission): // another user's
		case err != nil:
			return nil, err
		default:
			list = append(list, t)
		}
	}
	return list, nil
}

// sweepTxs discards the open transactions of a scope that are past their time,
// and reports the others. One whose leases belong to a living process is kept
// whatever its age, and so is one that somebody is working on, or that is damaged,
// which is an error when all others are done.
func (s *Store) sweepTxs(ctx context.Context, sc *scope, o RecoverOptions, r *RecoverReport) error {
	txs, err := s.openTxsAround(sc)
	if err != nil {
		return err
	}
	var damage []error
	for _, t := range txs {
		if t.damage != nil {
			damage = append(damage, t.damage)
			r.Open = append(r.Open, t.Info())
			continue
		}
		expired := t.expired(o.TTL)
		if expired && !o.DryRun {
			expired, err = t.discardExpired(ctx, o.TTL)
		}
		if errors.Is(err, ErrNotFound) {
			continue // ended meanwhile
		}
		if err != nil {
			return err
		}
		if expired {
			r.Expired = append(r.Expired, t.Info())
		} else {
			r.Open = append(r.Open, t.Info())
		}
	}
	return errors.Join(damage...)
}

func (t *OpenTx) expired(ttl time.Duration) bool {
	living := t.data.Owner != nil && t.data.Owner.Alive() == lockmgr.Alive
	return time.Since(t.data.Created) >= ttl && !living
}

// discardExpired is false where the transaction is in use.
func (t *OpenTx) discardExpired(ctx context.Context, ttl time.Duration) (bool, error) {
	held, err := t.lock(ctx, 0)
	if errors.Is(err, ErrLockTimeout) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	expired := false
	if err = t.load(); err == nil && t.expired(ttl) {
		expired, err = true, t.finish(ctx)
	}
	return expired, errors.Join(err, held.Release())
}

// BreakLease ends the leases of an open transaction, which can't commit then.
func (s *Store) BreakLease(ctx context.Context, id string) error {
	t, err := s.Resume(ctx, id)
	if err != nil {
		return err
	}
	for _, f := range t.data.Files {
		if f.Token == 0 {
			continue
		}
		target, err := s.resolve(ctx, string(f.File), false)
		if err != nil {
			return err
		}
		err = s.locks.BreakLease(ctx, s.patience(), filepath.Join(target.dir, lockName), t.data.ID)
		if err != nil && !errors.Is(err, lockmgr.ErrNoLease) {
			return fail(target.name, err)
		}
	}
	return nil
}
