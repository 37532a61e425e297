package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// grant takes a lease on every file of the transaction. A file that was changed
// between its pinning and the lease is a conflict.
func (t *OpenTx) grant(ctx context.Context, o BeginOptions) error {
	lease := lockmgr.Lease{Tx: t.data.ID, Owner: t.data.Owner, Expires: t.data.Expires, Command: o.Command}
	if o.TTL == 0 {
		lease.Unseen = t.data.Created.Add(DefaultLeaseTTL)
	}
	return t.onFiles(ctx, t.data.Files, func(ses *session, target *workspace.Target, f *txFile) error {
		if pinOf(target.File.Found.Version) != f.Pinned {
			return &Error{Kind: ErrConflict, File: target.Name, Err: fmt.Errorf("changed while the transaction began")}
		}
		path, l := filepath.Join(target.Dir, workspace.LockName), lockmgr.Lease{}
		var err error
		if o.Kept {
			var keeper *lockmgr.Keeper
			if l, keeper, err = ses.held.Keep(path, lease); err == nil {
				t.keepers = append(t.keepers, keeper)
			}
		} else {
			l, err = ses.held.Grant(path, lease)
		}
		f.Token = l.Token
		return fault.In(target.Name, err)
	})
}

// endLeases ends the leases of the transaction that still bind: what is over needs no
// end, and no wait for whoever holds the lock past it.
func (t *OpenTx) endLeases(ctx context.Context) error {
	for _, f := range t.data.Files {
		target, bound := t.leased(ctx, f)
		if !bound {
			continue
		}
		r := lockmgr.Request{Path: filepath.Join(target.Dir, workspace.LockName), Name: string(f.File), NoHolder: true}
		err := t.s.src.Locks.BreakLease(ctx, t.s.src.Patience(), r, t.data.ID)
		if err != nil && !errors.Is(err, lockmgr.ErrNoLease) && !errors.Is(err, fs.ErrNotExist) {
			return fault.In(target.Name, err)
		}
	}
	t.closeKeepers()
	return nil
}

func (t *OpenTx) closeKeepers() {
	for _, k := range t.keepers {
		_ = k.Close() // nothing is lost with it
	}
	t.keepers = nil
}

// leased tells whether there is a lease to end.
func (t *OpenTx) leased(ctx context.Context, f *txFile) (*workspace.Target, bool) {
	target, l, its, err := t.leaseOn(ctx, f)
	over, _ := l.Broken(time.Now().UTC())
	return target, err != nil || its && !over
}

// leaseOn reads the lease of a file. It is false where that is not the transaction's.
func (t *OpenTx) leaseOn(ctx context.Context, f *txFile) (target *workspace.Target, l lockmgr.Lease, its bool, err error) {
	if !t.mayHold(f) {
		return nil, l, false, nil
	}
	target, err = t.s.src.Resolve(ctx, string(f.File))
	if err != nil || target.WS == nil {
		//lint:ignore nilerr a file that can't be found has no lease to end
		return nil, l, false, nil
	}
	l, its, err = lockmgr.ReadLease(filepath.Join(target.Dir, workspace.LockName))
	return target, l, its && l.Tx == t.data.ID, err
}

// onFiles calls fn for each of some files of the transaction, with all of them locked.
func (t *OpenTx) onFiles(ctx context.Context, files []*txFile, fn func(*session, *workspace.Target, *txFile) error) error {
	var names []string
	for _, f := range files {
		names = append(names, string(f.File))
	}
	if len(names) == 0 {
		return nil
	}
	return t.s.locked(ctx, names, doors.Locking{Lease: t.data.ID, MendDamage: true}, func(ses *session) error {
		for _, f := range files {
			if err := fn(ses, ses.ByName(string(f.File)), f); err != nil {
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
		target := ses.ByName(string(f.File))
		if err := ses.held.CheckLease(filepath.Join(target.Dir, workspace.LockName), t.data.ID, f.Token); err != nil {
			return fault.In(target.Name, err)
		}
	}
	return nil
}

// OpenTxs lists the open transactions kept in the workspaces at, above and below
// the paths, and those that this user began outside of any, oldest first.
func (s *Store) OpenTxs(ctx context.Context, paths []string) ([]OpenTxInfo, error) {
	sc, skipped, err := s.src.WorkspacesBeside(ctx, paths)
	if err != nil {
		return nil, err
	}
	list, err := infos(s.openTxsAround(TxDirs(sc)))
	return list, errors.Join(err, skipped)
}

// openTxsAround opens the transactions that are kept in some directories, oldest first: their ids sort by age.
func (s *Store) openTxsAround(dirs []string) ([]*OpenTx, error) {
	var all []*OpenTx
	var errs []error
	for _, dir := range dirs {
		txs, err := s.openTxsIn(dir)
		if errors.Is(err, fs.ErrPermission) {
			continue // another user's: this one has begun none there
		}
		errs = append(errs, fault.In(dir, fault.UnlessMissing(err)))
		all = append(all, txs...)
	}
	slices.SortFunc(all, func(a, b *OpenTx) int { return strings.Compare(a.data.ID, b.data.ID) })
	return all, errors.Join(errs...)
}

// TxDirs is for txn/admin: where the transactions of a scope are kept, and the user's own.
func TxDirs(sc *workspace.Scope) []string {
	var dirs []string
	for _, w := range sc.Workspaces {
		dirs = append(dirs, filepath.Join(w.Meta(), workspace.TxDir))
	}
	if home, err := userTxDir(); err == nil {
		dirs = append(dirs, home)
	}
	return dirs
}

// openTxsIn opens the transactions that are kept in dir. A symbolic link there
// points to one that is kept in a workspace. Damaged ones are among them.
func (s *Store) openTxsIn(dir string) ([]*OpenTx, error) {
	entries, err := s.src.FS.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []*OpenTx
	var errs []error
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
			errs = append(errs, err)
		default:
			list = append(list, t)
		}
	}
	return list, fault.Joined(errs)
}

// BreakLease ends the leases of an open transaction, which can't commit then. One
// that can't be read, another user's or one whose directory is gone, may still hold
// files: its leases on those that are named are ended, and it is not found only where
// it has none.
func (s *Store) BreakLease(ctx context.Context, id string, files ...string) error {
	t, missing := s.Resume(ctx, id)
	switch {
	case missing == nil:
		id, files = t.data.ID, t.leases()
	case !errors.Is(missing, ErrNotFound):
		return missing
	}
	for _, file := range files {
		target, err := s.src.Resolve(ctx, file)
		if err != nil {
			return err
		}
		r := lockmgr.Request{Path: filepath.Join(target.Dir, workspace.LockName), Name: file, NoHolder: true}
		switch err := s.src.Locks.BreakLease(ctx, s.src.Patience(), r, id); {
		case err == nil:
			missing = nil
		case !errors.Is(err, lockmgr.ErrNoLease):
			return fault.In(target.Name, err)
		}
	}
	return missing
}

// leases are the files that the transaction may have leases on.
func (t *OpenTx) leases() []string {
	var files []string
	for _, f := range t.data.Files {
		if t.mayHold(f) {
			files = append(files, string(f.File))
		}
	}
	return files
}

// mayHold tells whether the transaction took a lease on the file. Those that a copy,
// or a foreign transaction, names outside of its workspace are not its own.
func (t *OpenTx) mayHold(f *txFile) bool {
	return f.Token != 0 && (t.isInside(f) || t.begunHere())
}
