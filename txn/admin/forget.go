package admin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// Forget ends the history of a file: its journal is removed, and what was set aside of
// it. The file itself stays as it is, and its history begins anew with the next change.
// What is unfinished is settled first, in the other files of its transactions too,
// since those may have to ask its journal.
func Forget(ctx context.Context, store *txn.Store, file string) error {
	s := of(store)
	t, err := s.Resolve(ctx, s.Abs(file))
	if err != nil {
		return err
	}
	if err := s.MustBeTracked(t); err != nil {
		return err
	}
	for range workspace.MaxRounds {
		last, err := s.settleWithOthers(ctx, t)
		if err != nil {
			return err
		}
		err = s.Locked(ctx, []string{t.Real}, doors.Locking{MendDamage: true}, func(ses *doors.Files) error {
			now := ses.Targets[0]
			if now.File.Log.State().Last != last {
				return errMoved
			}
			ses.Spoil()
			return fault.In(now.Name, wal.Erase(s.FS, now.Dir))
		})
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return &txn.Error{Kind: txn.ErrConflict, File: file, Err: fmt.Errorf("was never at rest")}
}

// errMoved tells that there was a commit since all was settled.
var errMoved = errors.New("changed meanwhile")

// settleWithOthers settles a file, and the others of each transaction that its journal
// has. It returns where that ends.
func (s house) settleWithOthers(ctx context.Context, t *workspace.Target) (wal.LSN, error) {
	if r := s.recoverFile(ctx, t, false); r.Err != nil && !errors.Is(r.Err, txn.ErrDamaged) {
		return 0, r.Err
	}
	_, st, _, err := s.Stands(t)
	if err != nil {
		return 0, fault.In(t.Name, err)
	}
	set := &workspace.FileSet{Site: s.Site, Ctx: ctx, How: workspace.Lookup{Held: true}, Targets: []*workspace.Target{t}}
	seen := map[string]bool{t.Real: true}
	for rec, err := range s.Records(t, 1) {
		if err != nil {
			return 0, err
		}
		for _, p := range rec.Participants {
			other, err := set.ResolveParticipant(p)
			if err != nil || seen[other.Real] {
				continue // what is not there any more has nothing to ask
			}
			seen[other.Real] = true
			if r := s.recoverFile(ctx, other, false); r.Err != nil && !errors.Is(r.Err, txn.ErrDamaged) {
				return 0, r.Err
			}
		}
	}
	return st.Last, nil
}

// RemoveWorkspace ends the workspace whose root is dir, with the history of its files,
// which stay as they are. It returns how many files it had. It fails with ErrConflict
// where transactions are open in it.
func RemoveWorkspace(ctx context.Context, store *txn.Store, dir string) (int, error) {
	s := of(store)
	root, err := workspace.RealDir(s.Abs(dir))
	if err != nil {
		return 0, fault.In(dir, err)
	}
	w, err := s.FindAt(ctx, root, os.Geteuid())
	if err != nil {
		return 0, fault.In(dir, err)
	}
	if w == nil {
		return 0, &txn.Error{Kind: txn.ErrNotFound, File: dir, Err: fmt.Errorf("is not the root of a workspace")}
	}
	for range workspace.MaxRounds {
		n, err := s.endWorkspace(ctx, w)
		if !errors.Is(err, errMoved) {
			return n, fault.In(dir, err)
		}
	}
	return 0, &txn.Error{Kind: txn.ErrConflict, File: dir, Err: fmt.Errorf("its files were never at rest")}
}

// endWorkspace settles all files, then makes sure, with nobody in the workspace, that
// nothing came after, and takes it out of its place at once.
func (s house) endWorkspace(ctx context.Context, w *workspace.Workspace) (n int, err error) {
	files, err := s.TrackedFiles(w)
	if err != nil {
		return 0, err
	}
	last := map[string]wal.LSN{}
	for _, t := range files {
		known, err := s.Tracked(t)
		if err != nil {
			return 0, fault.In(t.Name, err)
		}
		if !known {
			continue
		}
		if last[t.Rel], err = s.settleWithOthers(ctx, t); err != nil {
			return 0, err
		}
	}
	held, err := s.Locks.Acquire(ctx, s.Patience(), []lockmgr.Request{w.LockRequest(lockmgr.Exclusive, 0)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if err := s.mustBeAtRest(w, last); err != nil {
		return 0, err
	}
	return len(last), s.TakeAway(w, held)
}

// mustBeAtRest makes sure that nothing has happened in a workspace since its files were
// settled, and that nobody means to go on in it.
func (s house) mustBeAtRest(w *workspace.Workspace, last map[string]wal.LSN) error {
	files, err := s.TrackedFiles(w)
	if err != nil {
		return err
	}
	for _, t := range files {
		_, st, _, err := s.Stands(t)
		if err != nil {
			return fault.In(t.Name, err)
		}
		if st.Last != last[t.Rel] {
			return errMoved
		}
		l, leased, err := lockmgr.ReadLease(filepath.Join(t.Dir, workspace.LockName))
		if err != nil {
			return fault.In(t.Name, err)
		}
		if over, _ := l.Broken(time.Now()); leased && !over {
			return &txn.Error{Kind: txn.ErrConflict, File: t.Name, Err: fmt.Errorf("is leased by %s", l)}
		}
	}
	dir := filepath.Join(w.Meta(), workspace.TxDir)
	if _, err := s.FS.ReadDir(dir); err != nil {
		return fault.UnlessMissing(err)
	}
	open, err := txn.OpenIn(s.store, []string{dir})
	if err != nil {
		return err
	}
	var ids []string
	for _, t := range open {
		ids = append(ids, t.ID)
	}
	if len(ids) > 0 {
		return &txn.Error{Kind: txn.ErrConflict, File: w.Root, Err: fmt.Errorf("has open transactions: %s", strings.Join(ids, ", "))}
	}
	return nil
}
