package txn

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/lockmgr"
)

// tell notes a workspace that was made.
func (how *lookup) tell(made bool, w *workspace) {
	if made && w != nil && how.made != nil {
		*how.made = append(*how.made, w)
	}
}

// unmakeWorkspaces removes the workspaces that a call made which was refused, so that
// nothing is left beside the files. One that somebody else has used, or uses, stays; so
// does one that can't be removed, and is as good as any for whoever comes next.
func (s *Store) unmakeWorkspaces(c *call) {
	made := c.made
	c.made = nil
	for _, w := range slices.Backward(made) {
		if s.unmake(w) == nil {
			c.targets = nil // nor is there a log of operations any more
		}
	}
}

var errUsed = errors.New("somebody has used it")

func (s *Store) unmake(w *workspace) (err error) {
	held, err := s.locks.Acquire(context.Background(), 0, []lockmgr.Request{w.lockRequest(lockmgr.Exclusive, 0)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if err := s.onlyHas(w.meta(), formatName, ".gitignore", lockName, lockName+".queue", filesDir, txDir); err != nil {
		return err
	}
	if err := s.onlyHas(filepath.Join(w.meta(), txDir)); err != nil {
		return err
	}
	entries, err := s.fs.ReadDir(filepath.Join(w.meta(), filesDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := s.onlyHas(filepath.Join(w.meta(), filesDir, e.Name()), lockName, lockName+".queue", pathName); err != nil {
			return err
		}
	}
	return s.takeAway(w)
}

// onlyHas is errUsed for a directory that has more in it than these names.
func (s *Store) onlyHas(dir string, names ...string) error {
	entries, err := s.fs.ReadDir(dir)
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
