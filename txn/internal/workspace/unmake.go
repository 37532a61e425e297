package workspace

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

var errUsed = errors.New("somebody has used it")

func (s *Site) Unmake(w *Workspace) (err error) {
	held, err := s.Locks.Acquire(context.Background(), 0, []lockmgr.Request{w.LockRequest(lockmgr.Exclusive, 0)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if err := s.onlyHas(w.Meta(), formatName, ".gitignore", LockName, LockName+".queue", FilesDir, TxDir); err != nil {
		return err
	}
	if err := s.onlyHas(filepath.Join(w.Meta(), TxDir)); err != nil {
		return err
	}
	entries, err := s.FS.ReadDir(filepath.Join(w.Meta(), FilesDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := s.onlyHas(filepath.Join(w.Meta(), FilesDir, e.Name()), LockName, LockName+".queue", pathName); err != nil {
			return err
		}
	}
	return s.TakeAway(w, held)
}

// onlyHas is errUsed for a directory that has more in it than these names.
func (s *Site) onlyHas(dir string, names ...string) error {
	entries, err := s.FS.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			return errUsed
		}
	}
	return nil
}

// TakeAway removes a workspace, whose lock is held alone, from its place at once. It gives
// the lock back in between: where a file system keeps the name of a removed file for as long
// as that is open, as those in user space do, its directory could not be removed.
func (s *Site) TakeAway(w *Workspace, held *lockmgr.Held) error {
	gone := filepath.Join(w.Root, MetaDir+"."+wal.NewID().String()+".tmp")
	if err := s.FS.Rename(w.Meta(), gone); err != nil {
		return err
	}
	if err := fsys.SyncDir(s.FS, w.Root); err != nil {
		return err
	}
	return errors.Join(held.Release(), fsys.RemoveTree(s.FS, gone))
}
