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
	Clean      int          // files that are not listed, see [StatusOptions]
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

// StatusOptions say what is listed.
type StatusOptions struct {
	// Attention leaves out the files that are clean, and with which nobody has to do;
	// they are only counted. Files that were named are listed all the same.
	Attention bool
	// Progress is called after each file.
	Progress func(done, total int, file string)
}

// Status looks at every tracked or protected file below the paths. It takes no
// lock and changes nothing. Settings that can't be read are an error beside what
// it has found.
func Status(ctx context.Context, store *txn.Store, paths []string, o ...StatusOptions) (StatusReport, error) {
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
	look := statusLook{house: s, sc: sc, list: list, seen: lockmgr.Look()}
	if len(o) > 0 {
		look.StatusOptions = o[0]
	}
	found, err := look.all(ctx)
	if err != nil {
		return st, err
	}
	for i, f := range found {
		switch {
		case f == nil:
			st.Clean++
		case f.Condition == "untracked" && !f.Protected && f.idle():
			found[i] = nil // somebody has had it locked, and then did not change it
		default:
			st.Files = append(st.Files, *f)
		}
	}
	recorded := func(name string) bool { return look.recorded(found, name) }
	return st, errors.Join(skipped, unread, unset, s.addUnrecorded(ctx, sc, list, recorded, &st))
}

// statusLook looks at the files of a scope.
type statusLook struct {
	house
	StatusOptions
	sc   *workspace.Scope
	list []workspace.Protection
	seen lockmgr.Seen
}

// all looks at each file, some at once. Those that need no attention are nil.
func (l *statusLook) all(ctx context.Context) ([]*FileStatus, error) {
	found := make([]*FileStatus, len(l.sc.Files))
	done := 0
	err := inChunks(ctx, len(found), func(i int) { found[i] = l.statusOf(ctx, l.sc.Files[i]) }, func(i int) {
		if done++; l.Progress != nil {
			l.Progress(done, len(found), l.sc.Files[i].Real)
		}
	})
	return found, err
}

// recorded tells of a file that a version of it is known to be recorded.
func (l *statusLook) recorded(found []*FileStatus, name string) bool {
	i, tracked := slices.BinarySearchFunc(l.sc.Files, name, func(t *workspace.Target, name string) int { return strings.Compare(t.Real, name) })
	return tracked && (found[i] == nil || found[i].Rev > 0)
}

// addUnrecorded looks at the protected files of which no version is recorded.
func (s house) addUnrecorded(ctx context.Context, sc *workspace.Scope, list []workspace.Protection, recorded func(string) bool, st *StatusReport) error {
	names, err := s.Unrecorded(ctx, sc, list, recorded)
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

// statusOf looks at one file, of which nil says that it is clean and needs no attention.
func (l *statusLook) statusOf(ctx context.Context, t *workspace.Target) *FileStatus {
	st, quiet := l.Quiet(t)
	quiet = quiet && l.seen.Free(st.Self.Ino) && l.nobodys(t)
	named := slices.Contains(l.sc.Under, t.Real)
	if quiet && l.Attention && !named && st.Content.Exists {
		return nil
	}
	f := &FileStatus{File: t.Real, Workspace: t.WS.Root, Condition: "clean", Rev: st.Rev}
	var err error
	if f.JournalBytes, f.Segments, err = wal.Usage(l.FS, t.Dir); err != nil {
		f.Err = fault.In(t.Real, err)
	}
	if !quiet {
		l.lookClosely(ctx, t, f)
	}
	f.Protected = workspace.ProtectedBy(l.list, t.Real)
	if gone, err := l.DeletedOutside(t); gone && err == nil && f.Protected && f.Condition == "clean" {
		f.Condition = "deleted" // that is recorded, and not mended
	}
	if l.Attention && !named && f.Condition == "clean" && !f.InPlace && f.idle() {
		return nil
	}
	return f
}

// nobodys tells that there is no lease of a file, and nothing unread.
func (l *statusLook) nobodys(t *workspace.Target) bool {
	_, leased, err := lockmgr.ReadLease(filepath.Join(t.Dir, workspace.LockName))
	if leased || err != nil {
		return false
	}
	unread, err := l.unread(t)
	return len(unread) == 0 && err == nil
}

// lookClosely finds what a file is that is not known to be clean. A commit in progress
// makes some of what it reads older than the rest; then it says pending.
func (l *statusLook) lookClosely(ctx context.Context, t *workspace.Target, f *FileStatus) {
	lock := filepath.Join(t.Dir, workspace.LockName)
	var err error
	if f.Lock, err = l.Locks.Probe(lock); fault.UnlessMissing(err) != nil {
		f.Err = fault.In(t.Real, err)
	}
	if f.Unread, err = l.unread(t); err != nil {
		f.Err = fault.In(t.Real, err)
	}
	f.Condition, f.Rev = "", 0
	if err := l.condition(ctx, t, f); err != nil {
		f.Err = fault.In(t.Real, err)
	}
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
