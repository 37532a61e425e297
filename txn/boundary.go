package txn

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/jtx-project/jtx/wal/fsys"
)

// boundaries are the directories, from the root of a workspace down to dir, the
// topmost first, from the first one on that keeps people out who may pass the root, or
// is somebody else's. What lies below that is not kept in the workspace, where more
// people could read it: no mode of a journal can say what a path says.
func (s *Store) boundaries(w *workspace, dir string) ([]string, error) {
	rel, err := filepath.Rel(w.root, dir)
	if err != nil || rel == "." {
		return nil, err
	}
	root, err := s.fs.Lstat(w.root)
	if err != nil {
		return nil, err
	}
	var found []string
	at := w.root
	for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
		at = filepath.Join(at, part)
		if len(found) == 0 {
			info, err := s.fs.Lstat(at)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil // it is to be made, like the one above it
			}
			if err != nil {
				return nil, err
			}
			if !bounds(info, root) && fsys.SameACL(at, w.root) {
				continue
			}
		}
		found = append(found, at)
	}
	return found, nil
}

// bounds tells whether a directory lets fewer people through than the root of a
// workspace, or is of another owner or group, or each user's own.
func bounds(dir, root fs.FileInfo) bool {
	const through = 0o055 // who lists it, and who reaches what is in it
	if root.Mode().Perm()&^dir.Mode().Perm()&through != 0 || dir.Mode()&fs.ModeSticky != 0 {
		return true
	}
	owner, _ := ownerOf(dir)
	rootOwner, _ := ownerOf(root)
	group, _ := groupOf(dir)
	rootGroup, _ := groupOf(root)
	return owner != rootOwner || group != rootGroup
}

// lookAround notes the directory of a file whose workspace is known, and whether the way
// there keeps people out.
func (s *Store) lookAround(t *target) (err error) {
	dir := filepath.Dir(t.real)
	if t.parent, err = s.fs.Lstat(dir); err != nil {
		return ignoreNotExist(err)
	}
	found, err := s.boundaries(t.ws, dir)
	t.private = len(found) > 0
	return err
}

// ownWorkspace gives the topmost boundary above a file that has no history yet a
// workspace of its own, and finds that; where there is no boundary it is nil. Where the
// caller may not write there, the next one below will do.
func (s *Store) ownWorkspace(ctx context.Context, t *target, how lookup) (*workspace, error) {
	dir := filepath.Dir(t.real)
	found, err := s.boundaries(t.ws, dir)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	t.private = true
	if known, err := s.tracked(t); known || err != nil || !how.create {
		return nil, err
	}
	for _, at := range found {
		var made bool
		if made, err = s.createWorkspace(ctx, at, how.uid, true); err == nil {
			t.private = false
			w, err := s.nearest(ctx, dir, dir, how)
			how.tell(made, w)
			return w, err
		}
		if !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
	}
	return nil, err
}
