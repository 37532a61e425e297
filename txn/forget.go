package txn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Forget ends the history of a file: its journal is removed, and what was set aside of
// it. The file itself stays as it is, and its history begins anew with the next change.
// What is unfinished is settled first, in the other files of its transactions too,
// since those may have to ask its journal.
func (s *Store) Forget(ctx context.Context, file string) error {
	t, err := s.resolve(ctx, s.abs(file))
	if err != nil {
		return err
	}
	if err := s.mustBeTracked(t); err != nil {
		return err
	}
	for range maxRounds {
		last, err := s.settleWithOthers(ctx, t)
		if err != nil {
			return err
		}
		err = s.locked(ctx, []string{t.real}, locking{mendDamage: true}, func(ses *session) error {
			now := ses.targets[0]
			if now.file.Log.State().Last != last {
				return errMoved
			}
			ses.spoiled = true
			return fail(now.name, wal.Erase(s.fs, now.dir))
		})
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return &Error{Kind: ErrConflict, File: file, Err: errorf("was never at rest")}
}

// errMoved tells that there was a commit since all was settled.
var errMoved = errors.New("changed meanwhile")

// settleWithOthers settles a file, and the others of each transaction that its journal
// has. It returns where that ends.
func (s *Store) settleWithOthers(ctx context.Context, t *target) (wal.LSN, error) {
	if r := s.recoverFile(ctx, t, false); r.Err != nil && !errors.Is(r.Err, ErrDamaged) {
		return 0, r.Err
	}
	_, st, _, err := s.stands(t)
	if err != nil {
		return 0, fail(t.name, err)
	}
	set := &fileSet{s: s, ctx: ctx, how: lookup{held: true}, targets: []*target{t}}
	seen := map[string]bool{t.real: true}
	for rec, err := range s.records(t, 1) {
		if err != nil {
			return 0, err
		}
		for _, p := range rec.Participants {
			other, err := set.resolveParticipant(p)
			if err != nil || seen[other.real] {
				continue // what is not there any more has nothing to ask
			}
			seen[other.real] = true
			if r := s.recoverFile(ctx, other, false); r.Err != nil && !errors.Is(r.Err, ErrDamaged) {
				return 0, r.Err
			}
		}
	}
	return st.Last, nil
}

// RemoveWorkspace ends the workspace whose root is dir, with the history of its files,
// which stay as they are. It returns how many files it had. It fails with ErrConflict
// where transactions are open in it.
func (s *Store) RemoveWorkspace(ctx context.Context, dir string) (int, error) {
	root, err := realDir(s.abs(dir))
	if err != nil {
		return 0, fail(dir, err)
	}
	w, err := s.findAt(ctx, root, os.Geteuid())
	if err != nil {
		return 0, fail(dir, err)
	}
	if w == nil {
		return 0, &Error{Kind: ErrNotFound, File: dir, Err: errorf("is not the root of a workspace")}
	}
	for range maxRounds {
		n, err := s.endWorkspace(ctx, w)
		if !errors.Is(err, errMoved) {
			return n, fail(dir, err)
		}
	}
	return 0, &Error{Kind: ErrConflict, File: dir, Err: errorf("its files were never at rest")}
}

// endWorkspace settles all files, then makes sure, with nobody in the workspace, that
// nothing came after, and takes it out of its place at once.
func (s *Store) endWorkspace(ctx context.Context, w *workspace) (n int, err error) {
	files, err := s.trackedFiles(w)
	if err != nil {
		return 0, err
	}
	last := map[string]wal.LSN{}
	for _, t := range files {
		known, err := s.tracked(t)
		if err != nil {
			return 0, fail(t.name, err)
		}
		if !known {
			continue
		}
		if last[t.rel], err = s.settleWithOthers(ctx, t); err != nil {
			return 0, err
		}
	}
	held, err := s.locks.Acquire(ctx, s.patience(), []lockmgr.Request{w.lockRequest(lockmgr.Exclusive, 0)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if err := s.mustBeAtRest(w, last); err != nil {
		return 0, err
	}
	return len(last), s.takeAway(w)
}

// takeAway removes a workspace, whose lock is held alone, from its place at once.
func (s *Store) takeAway(w *workspace) error {
	gone := filepath.Join(w.root, metaDir+"."+wal.NewID().String()+".tmp")
	if err := s.fs.Rename(w.meta(), gone); err != nil {
		return err
	}
	if err := fsys.SyncDir(s.fs, w.root); err != nil {
		return err
	}
	return fsys.RemoveTree(s.fs, gone)
}

// mustBeAtRest makes sure that nothing has happened in a workspace since its files were
// settled, and that nobody means to go on in it.
func (s *Store) mustBeAtRest(w *workspace, last map[string]wal.LSN) error {
	files, err := s.trackedFiles(w)
	if err != nil {
		return err
	}
	for _, t := range files {
		_, st, _, err := s.stands(t)
		if err != nil {
			return fail(t.name, err)
		}
		if st.Last != last[t.rel] {
			return errMoved
		}
		l, leased, err := lockmgr.ReadLease(filepath.Join(t.dir, lockName))
		if err != nil {
			return fail(t.name, err)
		}
		if over, _ := l.Broken(time.Now()); leased && !over {
			return &Error{Kind: ErrConflict, File: t.name, Err: fmt.Errorf("is leased by %s", l)}
		}
	}
	open, err := s.openTxsIn(filepath.Join(w.meta(), txDir))
	if err != nil {
		return ignoreNotExist(err)
	}
	var ids []string
	for _, t := range open {
		ids = append(ids, t.data.ID)
	}
	if len(ids) > 0 {
		return &Error{Kind: ErrConflict, File: w.root, Err: errorf("has open transactions: %s", strings.Join(ids, ", "))}
	}
	return nil
}
