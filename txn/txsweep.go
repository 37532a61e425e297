package txn

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
)

// TxSweep says which open transactions are discarded.
type TxSweep struct {
	DryRun bool
	TTL    time.Duration // the age from which they are
}

// SweptTxs is what a sweep found and did.
type SweptTxs struct {
	Expired, Open []OpenTxInfo // discarded, and kept
	Removed       []string     // leftovers
}

// SweepTxs is for txn/admin: it ends the open transactions in some directories that are past
// their time.
func SweepTxs(ctx context.Context, s *Store, dirs []string, o TxSweep) (r SweptTxs, err error) {
	err = s.sweepTxs(ctx, dirs, o, &r)
	return r, err
}

// sweepTxs ends the open transactions of some directories that are past their time, or were
// committed already, and reports the others. One whose leases belong to a living
// process is kept whatever its age, and so is one that somebody is working on, or
// that is damaged, which is an error when all others are done. What crashes left of
// others is removed.
func (s *Store) sweepTxs(ctx context.Context, dirs []string, o TxSweep, r *SweptTxs) error {
	txs, err := s.openTxsAround(dirs)
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
	for _, dir := range dirs {
		errs = append(errs, s.sweepPieces(ctx, dir, o.DryRun, r))
	}
	return errors.Join(errs...)
}

func (s *Store) sweepTx(ctx context.Context, t *OpenTx, o TxSweep, r *SweptTxs) error {
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

func (s *Store) sweepLocked(ctx context.Context, t *OpenTx, o TxSweep, r *SweptTxs) error {
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
	case err != nil, !ended && !t.expired(ctx, o.TTL):
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

// expired tells that a transaction is past its time, or that the process has died with
// which it was to end.
func (t *OpenTx) expired(ctx context.Context, ttl time.Duration) bool {
	life := t.ownerAlive(ctx)
	return t.data.Kept && life == lockmgr.Dead || life != lockmgr.Alive && time.Since(t.data.Created) >= ttl
}

// ownerAlive asks for the process by its pid and, where that can't be seen from here, by
// what it keeps locked for its leases.
func (t *OpenTx) ownerAlive(ctx context.Context) lockmgr.Liveness {
	if t.data.Owner == nil {
		return lockmgr.Unknown
	}
	life := t.data.Owner.Alive()
	for _, f := range t.data.Files {
		if life != lockmgr.Unknown {
			break
		}
		if _, l, its, err := t.leaseOn(ctx, f); its && err == nil {
			life = l.OwnerAlive()
		}
	}
	return life
}

// sweepPieces removes directories of transactions that were cut off when they were
// made, or when they ended.
func (s *Store) sweepPieces(ctx context.Context, dir string, dryRun bool, r *SweptTxs) error {
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

// sweepLinks removes the pointers of this user's state directory that lead to no
// transaction any more.
func (s *Store) sweepLinks(dryRun bool, r *SweptTxs) error {
	home, err := userTxDir()
	if err != nil {
		//lint:ignore nilerr a user without a home has no such directory
		return nil
	}
	entries, err := s.src.FS.ReadDir(home)
	if err != nil {
		return fault.UnlessMissing(err)
	}
	for _, e := range entries {
		link := filepath.Join(home, e.Name())
		if !isTxName(e.Name()) || e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		if _, err := s.src.FS.Stat(filepath.Join(link, txName)); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if !dryRun {
			if err := fault.UnlessMissing(s.src.FS.Remove(link)); err != nil {
				return fault.In(link, err)
			}
		}
		r.Removed = append(r.Removed, link)
	}
	slices.Sort(r.Removed)
	return nil
}
