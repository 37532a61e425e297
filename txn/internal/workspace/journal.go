package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Prepare makes the file's entry, where its lock is and its journal will be. Where the
// file's mode has been narrowed, the entry follows at once; where it has been widened, in
// the session that settles it.
func (s *Site) Prepare(t *Target) (Access, error) {
	a, err := s.AccessFor(t)
	if err != nil {
		return Access{}, err
	}
	have, err := s.FS.Lstat(t.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		a, err = s.makeEntry(t, a)
		if errors.Is(err, fs.ErrExist) {
			return s.Prepare(t) // somebody else was faster
		}
		t.DirMode = a.Dir.Perm()
		return a, err
	}
	if err == nil && !have.IsDir() {
		err = fmt.Errorf("%s: %w: not a directory", t.Dir, ErrUntrusted)
	}
	if err == nil {
		err = s.notEmptied(t)
	}
	if err != nil {
		return a, err
	}
	if t.DirMode = have.Mode().Perm(); t.DirMode&^a.Dir.Perm() == 0 {
		return a, nil
	}
	t.DirMode &= a.Dir.Perm()
	return a, s.ChmodDir(t.Dir, t.DirMode|a.Dir&fs.ModeSetgid)
}

func (s *Site) ChmodDir(dir string, mode fs.FileMode) error {
	f, err := s.FS.OpenFile(dir, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(mode)
}

// AccessFor is the access of a file's journal: the file's own, but no more than
// that of a file whose content it gets.
func (s *Site) AccessFor(t *Target) (Access, error) {
	a, err := s.ownAccess(t)
	if err == nil && t.Like != nil && t.Like.Info != nil {
		a = a.within(t.Like.AccessOf(t.Like.Real, t.Like.Info), t.Info == nil)
	}
	if err == nil && t.Most != nil {
		give := DirMode(*t.Most) | 0o700
		a.Dir &= give | fs.ModeSetgid
		a.File &= give
	}
	return a, err
}

// ownAccess is the file's own, or for one that is not there yet, that of its
// journal's directory or of its maker.
func (s *Site) ownAccess(t *Target) (Access, error) {
	if t.Info != nil {
		return t.AccessOf(t.Real, t.Info), nil
	}
	have, err := s.FS.Lstat(t.Dir)
	if err == nil {
		a := AccessFor(have.Mode().Perm(), have)
		if t.Private {
			a = a.ownersOnly()
		}
		return a, nil
	}
	if t.Parent == nil { // it is made, as the one above it
		return s.AccessOfDir(t.WS.Root, s.UserOf(nil))
	}
	a := ofNew(filepath.Dir(t.Real), t.Parent)
	if t.Private {
		a = a.ownersOnly()
	}
	return a, nil
}

// AccessOf is the access of the journal of a file that is there, under a name of its own
// while it is staged.
func (t *Target) AccessOf(name string, info fs.FileInfo) Access {
	parent := t.Parent
	if parent == nil {
		parent = info
	}
	a := AccessOfFile(name, info, parent)
	if t.Private {
		a = a.ownersOnly()
	}
	return a
}

// FollowNew narrows the journal's directory to what a new file lets people do, before
// anything of the file is in it: its mode comes of the umask.
func (s *Site) FollowNew(t *Target, r *recovery.Replacement) error {
	info, err := r.StagedInfo()
	if info == nil || err != nil {
		return err
	}
	have, err := s.FS.Lstat(t.Dir)
	if err != nil {
		return err
	}
	a := t.AccessOf(recovery.Temp(t.Real), info)
	if have.Mode().Perm()&^a.Dir.Perm() == 0 {
		return nil
	}
	t.DirMode = have.Mode().Perm() & a.Dir.Perm()
	return s.ChmodDir(t.Dir, t.DirMode|a.Dir&fs.ModeSetgid)
}

// OpenLog opens the journal. The file's exclusive lock is held.
func (s *Site) OpenLog(t *Target, a Access) (*wal.Log, error) {
	if name, hashed := escape(t.Rel); hashed {
		if err := s.keepPath(t, a); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return wal.Open(t.Dir, s.JournalOptions(t, a))
}

func (s *Site) JournalOptions(t *Target, a Access) wal.Options {
	meta := t.WS.Meta()
	return wal.Options{
		FS: s.FS, DirPerm: a.Dir, FilePerm: a.File, Boot: s.Boot,
		DirChain: []string{t.Dir, filepath.Join(meta, FilesDir), meta, t.WS.Root},
	}
}

// keepPath brings the path back beside a journal whose name is a hash, where that was
// damaged or lost.
func (s *Site) keepPath(t *Target, a Access) error {
	name := filepath.Join(t.Dir, pathName)
	have, err := fsys.ReadAtMost(s.FS, name, maxPath)
	if err == nil && string(have) == t.Rel || fault.UnlessMissing(err) != nil {
		return err
	}
	return fsys.WriteFileAtomic(s.FS, name, []byte(t.Rel), a.File)
}

func (t *Target) LockRequest(a Access, tx string) lockmgr.Request {
	return lockmgr.Request{
		Order: t.Order(), Path: filepath.Join(t.Dir, LockName),
		Mode: lockmgr.Exclusive, Perm: a.File, Tx: tx, Name: t.Name,
	}
}
