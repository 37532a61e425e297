package txn

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// errDeleted is why a protected file is brought back that another program removed.
var errDeleted = errors.New("the file was deleted outside")

// deletedOutside tells that a tracked file is not there, though it was not jtx that
// removed it: also where that is recorded already.
func (s *Store) deletedOutside(t *workspace.Target) (bool, error) {
	if _, err := s.src.FS.Lstat(t.Real); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if t.WS == nil {
		return false, nil
	}
	_, st, known, err := s.src.Stands(t)
	if err != nil || !known {
		return false, err
	}
	for rec, err := range s.versions(t, st.Last) {
		return err == nil && (rec.After.Exists || rec.Flags&wal.FlagForeign != 0), err
	}
	return false, nil
}

// deletedForLong is deletedOutside for a file that an editor may be about to replace.
func (s *Store) deletedForLong(ctx context.Context, t *workspace.Target) (bool, error) {
	gone, err := s.deletedOutside(t)
	if !gone || err != nil {
		return false, err
	}
	select {
	case <-time.After(editorPause):
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	return s.deletedOutside(t)
}

// deletedProtected lists the protected files around the store's directory that were
// deleted outside.
func (s *Store) deletedProtected(ctx context.Context) ([]string, error) {
	list, err := s.Protections(ctx)
	if err != nil {
		return nil, err
	}
	var roots []string
	for _, p := range list {
		if !slices.Contains(roots, p.Root) {
			roots = append(roots, p.Root)
		}
	}
	if len(roots) == 0 {
		return nil, nil
	}
	sc, err := s.src.Scope(ctx, roots)
	if err != nil {
		return nil, err
	}
	return s.deletedAmong(sc, list)
}

// deletedAmong are the files of a scope that patterns name and that were deleted
// outside. What a journal can't tell is told elsewhere.
func (s *Store) deletedAmong(sc *workspace.Scope, list []workspace.Protection) ([]string, error) {
	var names []string
	for _, t := range sc.Files {
		if !workspace.ProtectedBy(list, t.Real) {
			continue
		}
		gone, err := s.deletedOutside(t)
		if err != nil && !errors.Is(fault.In(t.Real, err), ErrDamaged) {
			return nil, fault.In(t.Real, err)
		}
		if gone {
			names = append(names, t.Real)
		}
	}
	return names, nil
}
