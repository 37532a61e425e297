package workspace

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// newEntry begins the name of an entry that is being made. No path is escaped so, since
// two hexadecimal digits, or another %, follow a % there.
const newEntry = "%new."

// NewEntryID is what makes the name of an entry that is being made another one than all
// others.
func NewEntryID(name string) (wal.ID, bool) {
	name, ok := strings.CutPrefix(name, newEntry)
	id, err := wal.ParseID(name)
	return id, ok && err == nil
}

// makeEntry makes a file's entry: its directory with all that is always there. It is made
// for its owner alone under another name, and renamed into place once it is whole and
// synced; so an entry counts that has its lock, its access and, where its name is a hash,
// its path, or none does. It fails with fs.ErrExist where another process was faster.
// The access that it returns is that to a file which is not there yet, less the umask.
func (s *Site) makeEntry(t *Target, a Access) (Access, error) {
	temp := filepath.Join(filepath.Dir(t.Dir), newEntry+wal.NewID().String())
	a, err := s.buildEntry(t, temp, a)
	if err == nil {
		fsys.Step("entry.built")
		err = s.FS.Rename(temp, t.Dir)
	}
	if err != nil {
		// What can't be removed now either, a sweep removes.
		_ = fsys.RemoveTree(s.FS, temp)
		if info, lookErr := s.FS.Lstat(t.Dir); lookErr == nil && info.IsDir() {
			return a, fs.ErrExist
		}
		return a, err
	}
	fsys.Step("entry.named")
	return a, nil
}

func (s *Site) buildEntry(t *Target, temp string, a Access) (Access, error) {
	if err := s.FS.Mkdir(temp, 0o700); err != nil {
		return a, err
	}
	dir, err := s.FS.OpenFile(temp, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if err != nil {
		return a, err
	}
	defer dir.Close()
	err = fsys.DropACL(dir)
	if fault.CannotWrite(err) || fsys.Refused(err) {
		a.Dir, a.File = a.Dir&^0o070, a.File&^0o070 // the group's bits are then those of all whom the list names
	} else if err != nil {
		return a, err
	}
	fsys.Step("entry.begun")
	if a, err = s.makeLock(t, filepath.Join(temp, LockName), a); err != nil {
		return a, err
	}
	fsys.Step("entry.locked")
	if name, hashed := escape(t.Rel); hashed {
		if err := a.WriteFile(s.FS, filepath.Join(temp, pathName), t.Rel); err != nil {
			return a, fmt.Errorf("%s: %w", name, err)
		}
		fsys.Step("entry.told")
	}
	if err := a.apply(dir, a.Dir); err != nil {
		return a, err
	}
	fsys.Step("entry.opened")
	return a, dir.Sync()
}

// makeLock makes the lock of an entry. What the umask leaves of its mode says what a file
// that is not there yet will be.
func (s *Site) makeLock(t *Target, name string, a Access) (Access, error) {
	f, err := s.FS.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|fsys.NoFollow, a.File)
	if err != nil {
		return a, err
	}
	defer f.Close()
	if t.Info == nil {
		made, err := f.Stat()
		if err != nil {
			return a, err
		}
		a = a.lessUmask(made.Mode().Perm())
	}
	if err := f.Truncate(lockmgr.FileSize); err != nil {
		return a, err
	}
	if err := a.apply(f, a.File); err != nil {
		return a, err
	}
	return a, f.Sync()
}
