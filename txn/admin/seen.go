package admin

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// FileNotices are what became of a file without its user's having asked for it: bytes
// were set aside, an edit clashed with a commit, a transaction in doubt was decided.
type FileNotices struct {
	File    string
	Notices []recovery.Notice // oldest first
}

// Seen takes note that somebody has read the notices of the tracked files at or below the
// paths: Status and Verify tell of them no more. It returns them. What was kept stays.
func Seen(ctx context.Context, store *txn.Store, paths []string) (list []FileNotices, err error) {
	s := of(store)
	sc, skipped, err := s.ScopeBeside(ctx, paths)
	if err != nil {
		return nil, err
	}
	errs := []error{skipped}
	for _, t := range sc.Files {
		seen, err := s.seen(ctx, t)
		if err != nil {
			errs = append(errs, fault.In(t.Name, err))
		} else if len(seen.Notices) > 0 {
			list = append(list, seen)
		}
	}
	return list, errors.Join(errs...)
}

func (s house) seen(ctx context.Context, t *workspace.Target) (FileNotices, error) {
	n := FileNotices{File: t.Real}
	if unread, err := recovery.Notices(s.FS, t.Dir); err != nil || len(unread) == 0 {
		return n, err
	}
	// The file may be damaged, or leased: neither matters, since nothing of it changes.
	how := doors.Locking{Shut: true}
	if l, leased, err := lockmgr.ReadLease(filepath.Join(t.Dir, workspace.LockName)); err == nil && leased {
		how.Lease = l.Tx
	}
	err := s.Locked(ctx, []string{t.Real}, how, func(*doors.Files) (err error) {
		if n.Notices, err = recovery.Notices(s.FS, t.Dir); err != nil {
			return err
		}
		return recovery.Seen(s.FS, t.Dir)
	})
	return n, err
}

// unread are the notices of a file that nobody has read yet. To whom the journal is not
// open they are not told.
func (s house) unread(t *workspace.Target) ([]recovery.Notice, error) {
	list, err := recovery.Notices(s.FS, t.Dir)
	if errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return list, err
}
