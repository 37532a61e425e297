package txn

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal/fsys"
)

// parents are the directories that a transaction makes for its files.
type parents struct {
	// modes are those that are known, by real path. Another directory is for those
	// who may use the journal of the file that it is made for, and for anybody, less
	// the umask, where the file has none.
	modes map[string]fs.FileMode
	made  []string // outermost first
}

// WithParents makes the directories of the files where they are missing. Where the
// transaction comes to nothing, so do they.
func WithParents() Option { return func(c *call) { c.parents = &parents{} } }

// makeParents makes the directories of one file, durably unless the call is for None.
func (s *Store) makeParents(ctx context.Context, name string, c *call) error {
	if c.parents == nil {
		return nil
	}
	real, err := workspace.RealPath(s.src.FS, name)
	if err != nil {
		return fault.In(name, err)
	}
	missing, err := s.missingAbove(real)
	if err != nil || len(missing) == 0 {
		return fault.In(name, err)
	}
	t, err := s.src.Resolve(ctx, name)
	if err != nil {
		return err
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := s.makeParent(missing[i], t, c); err != nil {
			return fault.In(name, err)
		}
	}
	return nil
}

// missingAbove lists the directories above a path that are not there, innermost
// first.
func (s *Store) missingAbove(real string) ([]string, error) {
	var missing []string
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		_, err := s.src.FS.Lstat(dir)
		if !errors.Is(err, fs.ErrNotExist) {
			return missing, err
		}
		missing = append(missing, dir)
	}
}

func (s *Store) makeParent(dir string, t *workspace.Target, c *call) error {
	above := filepath.Dir(dir)
	err := s.mkdirLike(dir, above, t, c.parents.modes)
	if errors.Is(err, fs.ErrExist) {
		return nil // somebody else was faster
	}
	if err != nil {
		return err
	}
	c.parents.made = append(c.parents.made, dir)
	if c.durability == None {
		return nil
	}
	return fsys.SyncDir(s.src.FS, above)
}

func (s *Store) mkdirLike(dir, above string, t *workspace.Target, modes map[string]fs.FileMode) error {
	mode, known := modes[dir]
	like := above
	if !known {
		like = t.Dir
	}
	model, err := s.src.FS.Lstat(like)
	if like == "" || errors.Is(err, fs.ErrNotExist) {
		return s.src.FS.Mkdir(dir, 0o777)
	}
	if err != nil {
		return err
	}
	if !known {
		mode = model.Mode().Perm()
	}
	if err := s.src.FS.Mkdir(dir, 0o700); err != nil {
		return err
	}
	a := workspace.AccessFor(mode, model)
	a.Dir = mode | 0o700 // without what only the directories of journals get
	return a.ApplyTo(s.src.FS, dir)
}

// unmakeParents removes the directories that were made for nothing, as far as they
// are empty.
func (s *Store) unmakeParents(c *call) {
	if c.parents == nil {
		return
	}
	for i := len(c.parents.made) - 1; i >= 0; i-- {
		// One that somebody has put something into stays.
		_ = s.src.FS.Remove(c.parents.made[i])
	}
}

// formerMode is that of a file which is gone, nil where it has no journal.
func (s *Store) formerMode(t *workspace.Target) (*fs.FileMode, error) {
	mode, err := recovery.FormerMode(s.src.FS, t.Dir)
	if err != nil || mode == 0 {
		return nil, err
	}
	return &mode, nil
}
