package txn

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
)

// FileNotices are what became of a file without its user's having asked for it: bytes
// were set aside, an edit clashed with a commit, a transaction in doubt was decided.
type FileNotices struct {
	File    string
	Notices []recovery.Notice // oldest first
}

// Seen takes note that somebody has read the notices of the tracked files at or below the
// paths: Status and Verify tell of them no more. It returns them. What was kept stays.
func (s *Store) Seen(ctx context.Context, paths []string) (list []FileNotices, err error) {
	sc, skipped, err := s.scopeBeside(ctx, paths)
	if err != nil {
		return nil, err
	}
	errs := []error{skipped}
	for _, t := range sc.files {
		seen, err := s.seen(ctx, t)
		if err != nil {
			errs = append(errs, fail(t.name, err))
		} else if len(seen.Notices) > 0 {
			list = append(list, seen)
		}
	}
	return list, errors.Join(errs...)
}

func (s *Store) seen(ctx context.Context, t *target) (FileNotices, error) {
	n := FileNotices{File: t.real}
	if unread, err := recovery.Notices(s.fs, t.dir); err != nil || len(unread) == 0 {
		return n, err
	}
	// The file may be damaged, or leased: neither matters, since nothing of it changes.
	how := locking{shut: true}
	if l, leased, err := lockmgr.ReadLease(filepath.Join(t.dir, lockName)); err == nil && leased {
		how.lease = l.Tx
	}
	err := s.locked(ctx, []string{t.real}, how, func(*session) (err error) {
		if n.Notices, err = recovery.Notices(s.fs, t.dir); err != nil {
			return err
		}
		return recovery.Seen(s.fs, t.dir)
	})
	return n, err
}

// unread are the notices of a file that nobody has read yet. To whom the journal is not
// open they are not told.
func (s *Store) unread(t *target) ([]recovery.Notice, error) {
	list, err := recovery.Notices(s.fs, t.dir)
	if errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return list, err
}
