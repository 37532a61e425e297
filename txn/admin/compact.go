package admin

import (
	"context"
	"errors"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// Compact applies retention to the journals of files, or of every tracked file at
// or below the store's directory; the zero Retention keeps everything. Of what is kept only
// the first and the last part are written anew, so it needs little room.
func Compact(ctx context.Context, store *txn.Store, files []string, r Retention, opts ...txn.Option) ([]Compaction, error) {
	s := of(store)
	targets, err := s.Targets(ctx, files)
	if err != nil {
		return nil, err
	}
	_, dryRun := txn.Told(s.store, opts)
	var list []Compaction
	var errs []error // of files that keep nobody from the others
	for _, t := range targets {
		if ctx.Err() != nil {
			return list, fault.Joined(append(errs, context.Cause(ctx)))
		}
		if err := s.MustBeTracked(t); err != nil {
			if len(files) == 0 && errors.Is(err, txn.ErrNotFound) {
				continue // it has a lock, and nothing else yet
			}
			errs = append(errs, err)
			continue
		}
		done, err := s.compactFile(ctx, t, r, dryRun)
		if done != nil {
			done.File = t.Name
			list = append(list, *done)
		}
		errs = append(errs, fault.In(t.Name, err))
	}
	return list, fault.Joined(errs)
}

func (s house) compactFile(ctx context.Context, t *workspace.Target, r Retention, dryRun bool) (done *Compaction, err error) {
	if dryRun {
		h, err := s.TryHead(ctx, t.Real)
		if err != nil {
			return nil, err
		}
		return s.Compact(ctx, h, r, true)
	}
	err = s.Locked(ctx, []string{t.Real}, doors.Locking{MendDamage: true}, func(ses *doors.Files) error {
		done, err = s.Compact(ctx, versions.HeadOf(ses.Targets[0]), r, false)
		return err
	})
	return done, err
}

// Retention says what of a history is kept; see package versions.
type Retention = versions.Retention

// DefaultRetention is applied to a journal that has grown beyond
// CompactionSize. Below that everything is kept.
var DefaultRetention = versions.DefaultRetention

// CompactionSize is the size of a journal, in bytes, from which commits compact it
// by DefaultRetention, where that at least halves it.
const CompactionSize = versions.CompactionSize

// Compaction is what was done to one journal.
type Compaction = versions.Compaction

// NoVersionError says that a protected file is damaged, and was so when jtx first
// looked at it.
type NoVersionError = versions.NoVersionError
