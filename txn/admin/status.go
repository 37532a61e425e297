package admin

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// StatusReport is the state of the workspaces at, above and below some paths.
type StatusReport struct {
	Workspaces []WorkspaceStatus
	Files      []FileStatus // by path
	Open       []txn.OpenTxInfo
}

// WorkspaceStatus describes a workspace.
type WorkspaceStatus struct {
	Root string
	ID   string
	Tree bool // covers what is below Root, not only Root itself
}

// FileStatus describes a tracked file.
type FileStatus struct {
	File         string
	Workspace    string // its root
	Rev          uint64
	JournalBytes int64
	Segments     int
	// Condition is what the next access finds: clean, pending (a commit was cut
	// off, or is in progress), edited, deleted or damaged (outside jtx),
	// in-doubt, untracked (no version recorded yet).
	Condition string
	// InPlace tells that the file was last written in place, so that plain
	// readers may have seen it half written.
	InPlace bool
	// Protected tells that a pattern names the file. Those of which nothing is
	// recorded yet are listed too, as untracked, or damaged where they hold no JSON.
	Protected bool
	Lock      lockmgr.Status
	Unread    []recovery.Notice // of what became of it, oldest first; see [Seen]
	Err       error             // what kept the file from being looked at, or its damage
}

// idle tells that nobody has to do with the file.
func (f *FileStatus) idle() bool {
	return f.Err == nil && len(f.Unread) == 0 && f.Lock.State == lockmgr.Free && f.Lock.Lease == nil && len(f.Lock.Waiters) == 0
}

// Status looks at every tracked or protected file below the paths. It takes no
// lock and changes nothing. Settings that can't be read are an error beside what
// it has found.
func Status(ctx context.Context, store *txn.Store, paths []string) (StatusReport, error) {
	s := of(store)
	var st StatusReport
	sc, skipped, err := s.ScopeBeside(ctx, paths)
	if err != nil {
		return st, err
	}
	for _, w := range sc.Workspaces {
		st.Workspaces = append(st.Workspaces, WorkspaceStatus{w.Root, w.ID.String(), w.Tree})
	}
	open, unread := txn.OpenIn(s.store, txn.TxDirs(sc))
	st.Open = open
	list, unset := s.ProtectionsIn(sc) // what of the settings can be read
	for _, t := range sc.Files {
		if ctx.Err() != nil {
			return st, context.Cause(ctx)
		}
		f := s.statusOf(ctx, t)
		f.Protected = workspace.ProtectedBy(list, t.Real)
		if f.Condition == "untracked" && !f.Protected && f.idle() {
			continue // somebody has had it locked, and then did not change it
		}
		if gone, err := s.DeletedOutside(t); gone && err == nil && f.Protected && f.Condition == "clean" {
			f.Condition = "deleted" // that is recorded, and not mended
		}
		st.Files = append(st.Files, f)
	}
	return st, errors.Join(skipped, unread, unset, s.addUnrecorded(ctx, sc, list, &st))
}

// addUnrecorded looks at the protected files of which no version is recorded.
func (s house) addUnrecorded(ctx context.Context, sc *workspace.Scope, list []workspace.Protection, st *StatusReport) error {
	names, err := s.Unrecorded(ctx, sc, list)
	if err != nil {
		return err
	}
	for _, name := range names {
		i, known := slices.BinarySearchFunc(st.Files, name, func(f FileStatus, name string) int { return strings.Compare(f.File, name) })
		if !known {
			st.Files = slices.Insert(st.Files, i, FileStatus{File: name, Protected: true})
		}
		f := &st.Files[i]
		f.Condition = "untracked"
		if err := s.UnreadableProtected(ctx, name); err != nil {
			f.Condition, f.Err = "damaged", err
			if !errors.Is(err, txn.ErrDamaged) {
				f.Condition = "" // it can't be read
			}
		}
		w, err := s.CoveredBy(ctx, filepath.Dir(name))
		if err != nil {
			return fault.In(name, err)
		}
		if w != nil {
			f.Workspace = w.Root
		}
	}
	return nil
}

// statusOf looks at one file. A commit in progress makes some of what it reads
// older than the rest; then it says pending.
func (s house) statusOf(ctx context.Context, t *workspace.Target) FileStatus {
	fst := FileStatus{File: t.Real, Workspace: t.WS.Root}
	lock := filepath.Join(t.Dir, workspace.LockName)
	var err error
	if fst.Lock, err = s.Locks.Probe(lock); fault.UnlessMissing(err) != nil {
		fst.Err = fault.In(t.Real, err)
	}
	fst.JournalBytes, fst.Segments, err = wal.Usage(s.FS, t.Dir)
	if err != nil {
		fst.Err = fault.In(t.Real, err)
	}
	if fst.Unread, err = s.unread(t); err != nil {
		fst.Err = fault.In(t.Real, err)
	}
	if err := s.condition(ctx, t, &fst); err != nil {
		fst.Err = fault.In(t.Real, err)
	}
	return fst
}

func (s house) condition(ctx context.Context, t *workspace.Target, fst *FileStatus) error {
	err := s.AtRest(ctx, []*workspace.Target{t}, versions.Looking{Hasty: true, Silent: true}, func(seen []*workspace.Target) error {
		t = seen[0]
		return nil
	})
	switch {
	case errors.Is(err, txn.ErrLockTimeout):
		fst.Condition = "pending" // it is being written
		return nil
	case errors.Is(fault.In(t.Real, err), txn.ErrDamaged):
		fst.Condition = "damaged"
		return err
	case err != nil:
		return err // it can't be looked at
	}
	fst.Rev = versions.HeadOf(t).Rev
	switch {
	case t.Plan != nil:
		fst.Condition = conditionOf(t.Plan)
		if t.Plan.Case.Action == recovery.SetAside {
			return &recovery.DamagedError{File: t.Real, Rev: fst.Rev, Err: t.File.Found.Err}
		}
		return nil
	case t.File.Journal.Empty():
		fst.Condition = "untracked"
		return nil
	}
	fst.Condition = "clean"
	fst.InPlace, err = s.writtenInPlace(t, t.File.Journal.State().Last)
	if errors.Is(fault.In(t.Real, err), txn.ErrDamaged) || errors.Is(err, wal.ErrNotFound) {
		fst.Condition = "damaged"
	}
	return err
}

// writtenInPlace tells whether the record at lsn is of a write in place.
func (s house) writtenInPlace(t *workspace.Target, lsn wal.LSN) (bool, error) {
	rec, err := t.File.Journal.Read(lsn)
	return err == nil && rec.Kind == wal.KindInPlace, err
}

func conditionOf(fp *recovery.FilePlan) string {
	switch {
	case fp.InDoubt:
		return "in-doubt"
	case fp.Newest == nil:
		return "untracked"
	}
	switch fp.Case.Action {
	case recovery.Nothing:
		return "clean"
	case recovery.SetAside:
		return "damaged"
	case recovery.Adopt, recovery.Rebase:
		if !fp.File.Found.Version.Exists {
			return "deleted"
		}
		return "edited"
	default:
		return "pending"
	}
}
