package workspace

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal/fsys"
)

// boundaries are the directories, from the root of a workspace down to dir, the
// topmost first, from the first one on that keeps people out who may pass the root, or
// is somebody else's. What lies below that is not kept in the workspace, where more
// people could read it: no mode of a journal can say what a path says.
func (s *Site) boundaries(w *Workspace, dir string) ([]string, error) {
	rel, err := filepath.Rel(w.Root, dir)
	if err != nil || rel == "." {
		return nil, err
	}
	root, err := s.FS.Lstat(w.Root)
	if err != nil {
		return nil, err
	}
	var found []string
	at := w.Root
	for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
		at = filepath.Join(at, part)
		if len(found) == 0 {
			info, err := s.FS.Lstat(at)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil // it is to be made, like the one above it
			}
			if err != nil {
				return nil, err
			}
			if !bounds(info, root) && fsys.SameACL(at, w.Root) {
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
	group, _ := GroupOf(dir)
	rootGroup, _ := GroupOf(root)
	return owner != rootOwner || group != rootGroup
}

// LookAround notes the directory of a file whose workspace is known, and whether the way
// there keeps people out.
func (s *Site) LookAround(t *Target) (err error) {
	dir := filepath.Dir(t.Real)
	if t.Parent, err = s.FS.Lstat(dir); err != nil {
		return fault.UnlessMissing(err)
	}
	found, err := s.boundaries(t.WS, dir)
	t.Private = len(found) > 0
	return err
}

// ownWorkspace gives the topmost boundary above a file that has no history yet a
// workspace of its own, and finds that; where there is no boundary it is nil. Where the
// caller may not write there, the next one below will do.
func (s *Site) ownWorkspace(ctx context.Context, t *Target, how Lookup) (*Workspace, error) {
	dir := filepath.Dir(t.Real)
	found, err := s.boundaries(t.WS, dir)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	t.Private = true
	if known, err := s.Tracked(t); known || err != nil || !how.Create {
		return nil, err
	}
	for _, at := range found {
		var made bool
		if made, err = s.createWorkspace(ctx, at, how, true); err == nil {
			t.Private = false
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
