package txn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// newEntry begins the name of an entry that is being made. No path is escaped so, since
// two hexadecimal digits, or another %, follow a % there.
const newEntry = "%new."

// newEntryID is what makes the name of an entry that is being made another one than all
// others.
func newEntryID(name string) (wal.ID, bool) {
	name, ok := strings.CutPrefix(name, newEntry)
	id, err := wal.ParseID(name)
	return id, ok && err == nil
}

// makeEntry makes a file's entry: its directory with all that is always there. It is made
// for its owner alone under another name, and renamed into place once it is whole and
// synced; so an entry counts that has its lock, its access and, where its name is a hash,
// its path, or none does. It fails with fs.ErrExist where another process was faster.
// The access that it returns is that to a file which is not there yet, less the umask.
func (s *Store) makeEntry(t *target, a access) (access, error) {
	temp := filepath.Join(filepath.Dir(t.dir), newEntry+wal.NewID().String())
	a, err := s.buildEntry(t, temp, a)
	if err == nil {
		fsys.Step("entry.built")
		err = s.fs.Rename(temp, t.dir)
	}
	if err != nil {
		// What can't be removed now either, a sweep removes.
		_ = fsys.RemoveTree(s.fs, temp)
		if info, lookErr := s.fs.Lstat(t.dir); lookErr == nil && info.IsDir() {
			return a, fs.ErrExist
		}
		return a, err
	}
	fsys.Step("entry.named")
	return a, nil
}

func (s *Store) buildEntry(t *target, temp string, a access) (access, error) {
	if err := s.fs.Mkdir(temp, 0o700); err != nil {
		return a, err
	}
	dir, err := s.fs.OpenFile(temp, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if err != nil {
		return a, err
	}
	defer dir.Close()
	err = fsys.DropACL(dir)
	if cannotWrite(err) || fsys.Refused(err) {
		a.dir, a.file = a.dir&^0o070, a.file&^0o070 // the group's bits are then those of all whom the list names
	} else if err != nil {
		return a, err
	}
	fsys.Step("entry.begun")
	if a, err = s.makeLock(t, filepath.Join(temp, lockName), a); err != nil {
		return a, err
	}
	fsys.Step("entry.locked")
	if name, hashed := escape(t.rel); hashed {
		if err := a.writeFile(s.fs, filepath.Join(temp, pathName), t.rel); err != nil {
			return a, fmt.Errorf("%s: %w", name, err)
		}
		fsys.Step("entry.told")
	}
	if err := a.apply(dir, a.dir); err != nil {
		return a, err
	}
	fsys.Step("entry.opened")
	return a, dir.Sync()
}

// makeLock makes the lock of an entry. What the umask leaves of its mode says what a file
// that is not there yet will be.
func (s *Store) makeLock(t *target, name string, a access) (access, error) {
	f, err := s.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|fsys.NoFollow, a.file)
	if err != nil {
		return a, err
	}
	defer f.Close()
	if t.info == nil {
		made, err := f.Stat()
		if err != nil {
			return a, err
		}
		a = a.lessUmask(made.Mode().Perm())
	}
	if err := f.Truncate(lockmgr.FileSize); err != nil {
		return a, err
	}
	if err := a.apply(f, a.file); err != nil {
		return a, err
	}
	return a, f.Sync()
}

// young is the age from which what was being made has no process that still makes it.
const young = time.Hour

// sweepUnfinished removes what was being made below .jtx, or beside it, when its process
// died: workspaces, also those that were being removed, and entries.
func (s *Store) sweepUnfinished(w *workspace, dryRun bool, r *RecoverReport) error {
	return errors.Join(
		s.sweepNamed(w.root, builtName, dryRun, r),
		s.sweepNamed(filepath.Join(w.meta(), filesDir), newEntryID, dryRun, r))
}

func (s *Store) sweepNamed(dir string, idOf func(string) (wal.ID, bool), dryRun bool, r *RecoverReport) error {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return fail(dir, err)
	}
	for _, e := range entries {
		id, ok := idOf(e.Name())
		if !ok || time.Since(id.Time()).Abs() < young { // or a clock was ahead
			continue
		}
		path := filepath.Join(dir, e.Name())
		if !dryRun {
			err := fsys.RemoveTree(s.fs, path)
			if errors.Is(err, fs.ErrPermission) {
				continue // whoever made it removes it
			}
			if err != nil {
				return fail(path, err)
			}
		}
		r.Removed = append(r.Removed, path)
	}
	return nil
}
