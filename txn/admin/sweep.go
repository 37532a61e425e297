package admin

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// RecoverOptions of a sweep.
type RecoverOptions struct {
	// DryRun reports what would be done, and does nothing.
	DryRun bool
	// TTL is the age from which open transactions are discarded; DefaultTxTTL
	// if 0.
	TTL time.Duration
	// Progress is called after each file.
	Progress func(done, total int, file string)
}

// RecoverReport is what a sweep found and did.
type RecoverReport struct {
	Files   []FileReport     // those with something to report, by path
	Total   int              // tracked files looked at
	Begun   []string         // protected files whose history begins
	Deleted []string         // protected files that another program removed: Heal brings them back
	Expired []txn.OpenTxInfo // open transactions discarded
	Open    []txn.OpenTxInfo // open transactions kept
	Removed []string         // leftovers removed
}

// FileReport is what a sweep found in one file.
type FileReport struct {
	File string
	Done []recovery.Done
	Err  error // what could not be settled
}

// Recover settles every tracked file below the paths (a file, or a directory with
// everything below it), discards open transactions past their time, and removes
// what crashes left lying about. It goes on past an error in one file, which is
// in the report, and past an open transaction that is damaged and settings that
// can't be read, which are errors. Whatever it does is also done, file by file, by whoever next
// uses one through jtx.
func Recover(ctx context.Context, store *txn.Store, paths []string, o RecoverOptions) (RecoverReport, error) {
	s := of(store)
	var r RecoverReport
	sc, skipped, err := s.ScopeBeside(ctx, paths)
	if err != nil {
		return r, err
	}
	r.Total = len(sc.Files)
	if err := s.recoverAll(ctx, sc.Files, o, &r); err != nil {
		return r, err
	}
	err = errors.Join(skipped, s.beginProtected(ctx, sc, o.DryRun, &r))
	if o.TTL == 0 {
		o.TTL = txn.DefaultTxTTL
	}
	swept, unswept := txn.SweepTxs(ctx, s.store, txn.TxDirs(sc), txn.TxSweep{DryRun: o.DryRun, TTL: o.TTL})
	r.Expired, r.Open, r.Removed = swept.Expired, swept.Open, swept.Removed
	err = errors.Join(err, unswept)
	for _, w := range sc.Workspaces {
		err = errors.Join(err, s.sweepUnfinished(w, o.DryRun, &r))
	}
	for _, t := range sc.Never {
		err = errors.Join(err, s.sweepStaged(ctx, t, o.DryRun, &r))
	}
	return r, err
}

// recoverAll settles the files, some at once.
func (s house) recoverAll(ctx context.Context, files []*workspace.Target, o RecoverOptions, r *RecoverReport) error {
	reports := make([]FileReport, len(files))
	done, left := 0, newLeftovers(s)
	err := inChunks(ctx, len(files), func(i int) {
		if !left.nothingToDo(files[i]) {
			reports[i] = s.recoverFile(ctx, files[i], o.DryRun)
		}
	}, func(i int) {
		if done++; o.Progress != nil {
			o.Progress(done, len(files), files[i].Real)
		}
	})
	for _, fr := range reports {
		if fr.Err != nil || len(fr.Done) > 0 {
			r.Files = append(r.Files, fr)
		}
	}
	return err
}

// sweepStaged removes what was staged for a file that then was not made.
func (s house) sweepStaged(ctx context.Context, t *workspace.Target, dryRun bool, r *RecoverReport) error {
	staged := recovery.Temp(t.Real)
	if _, err := s.FS.Lstat(staged); err != nil {
		return fault.In(staged, fault.UnlessMissing(err))
	}
	if !dryRun {
		if fr := s.recoverFile(ctx, t, false); fr.Err != nil {
			return fr.Err
		}
		if _, err := s.FS.Lstat(staged); err == nil {
			return nil // somebody is making it
		}
	}
	r.Removed = append(r.Removed, staged)
	return nil
}

// beginProtected takes the first image of the protected files that have none.
func (s house) beginProtected(ctx context.Context, sc *workspace.Scope, dryRun bool, r *RecoverReport) error {
	list, unset := s.ProtectionsIn(sc)
	names, err := s.Unrecorded(ctx, sc, list, func(string) bool { return false })
	if err == nil {
		r.Deleted, err = s.DeletedAmong(sc, list)
	}
	if err != nil {
		return errors.Join(unset, err)
	}
	r.Total += len(names)
	track := s.trackGood
	if dryRun {
		track = func(ctx context.Context, name string) (bool, error) { return true, s.UnreadableProtected(ctx, name) }
	}
	began, errs := s.trackAll(ctx, names, track)
	for i, name := range names {
		if errs[i] != nil {
			r.Files = append(r.Files, FileReport{File: name, Err: errs[i]})
		} else if began[i] {
			r.Begun = append(r.Begun, name)
		}
	}
	return unset
}

// recoverFile settles one file. Cases in which nothing had to be done are left
// out of the report.
func (s house) recoverFile(ctx context.Context, t *workspace.Target, dryRun bool) FileReport {
	fr := FileReport{File: t.Real}
	if !s.LeadsHere(t) {
		return fr
	}
	var report []recovery.Done
	if dryRun {
		report, fr.Err = s.planFile(ctx, t)
	} else {
		how := doors.Locking{Sweep: true, Recovered: func(done []recovery.Done) { report = done }}
		// A lease keeps others from changing the file; settling changes nothing that
		// is committed, and need not wait until the lease has ended.
		if l, leased, err := lockmgr.ReadLease(filepath.Join(t.Dir, workspace.LockName)); err == nil && leased {
			how.Lease = l.Tx
		}
		fr.Err = s.Locked(ctx, []string{t.Real}, how, doors.Nothing)
	}
	for _, d := range report {
		if d.Action != recovery.Nothing || d.Err != nil || d.Cut.Bytes > 0 && !d.Cut.Blank || !d.Unit.IsZero() {
			fr.Done = append(fr.Done, d)
		}
	}
	return fr
}

// planFile is what recovery would report of a file.
func (s house) planFile(ctx context.Context, t *workspace.Target) (report []recovery.Done, err error) {
	err = s.AtRest(ctx, []*workspace.Target{t}, versions.Looking{Content: true, Whole: true, Silent: true}, func(seen []*workspace.Target) error {
		report = nil
		if seen[0].Plan != nil {
			report = seen[0].Planned.Report()
		}
		return nil
	})
	return report, fault.In(t.Real, err)
}

// builtName tells what is in the name of a workspace that is being built, or removed.
func builtName(name string) (wal.ID, bool) {
	name, ok := strings.CutPrefix(name, workspace.MetaDir+".")
	if !ok {
		return wal.ID{}, false
	}
	name, ok = strings.CutSuffix(name, ".tmp")
	id, err := wal.ParseID(name)
	return id, ok && err == nil
}

// young is the age from which what was being made has no process that still makes it.
const young = time.Hour

// sweepUnfinished removes what was being made below .jtx, or beside it, when its process
// died: workspaces, also those that were being removed, and entries.
func (s house) sweepUnfinished(w *workspace.Workspace, dryRun bool, r *RecoverReport) error {
	return errors.Join(
		s.sweepNamed(w.Root, builtName, dryRun, r),
		s.sweepNamed(filepath.Join(w.Meta(), workspace.FilesDir), workspace.NewEntryID, dryRun, r))
}

func (s house) sweepNamed(dir string, idOf func(string) (wal.ID, bool), dryRun bool, r *RecoverReport) error {
	entries, err := s.FS.ReadDir(dir)
	if err != nil {
		return fault.In(dir, err)
	}
	for _, e := range entries {
		id, ok := idOf(e.Name())
		if !ok || time.Since(id.Time()).Abs() < young { // or a clock was ahead
			continue
		}
		path := filepath.Join(dir, e.Name())
		if !dryRun {
			err := fsys.RemoveTree(s.FS, path)
			if errors.Is(err, fs.ErrPermission) {
				continue // whoever made it removes it
			}
			if err != nil {
				return fault.In(path, err)
			}
		}
		r.Removed = append(r.Removed, path)
	}
	return nil
}
