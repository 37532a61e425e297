package txn

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/wal/fsys"
)

// access is who may use what is made below .jtx: never more people than may use
// the file or directory that it belongs to.
type access struct {
	dir, file fs.FileMode
	uid, gid  int // the owner to give what is made, where the caller may
}

// accessOfDir follows a directory: for what belongs to a whole workspace. In a sticky
// one that is the user's alone to write.
func (s *Store) accessOfDir(dir string, uid int) (access, error) {
	info, err := s.fs.Stat(dir)
	if err != nil {
		return access{}, err
	}
	a := accessFor(info.Mode().Perm(), info)
	if info.Mode()&fs.ModeSticky != 0 {
		a = accessFor(info.Mode().Perm()&^0o022, info)
		a.gid = -1
		if a.uid >= 0 {
			a.uid = uid
		}
	}
	return a, nil
}

// accessOfFile follows a tracked file: whoever may read it may read its journal.
// Whoever may write it may write that too, if they may write its directory: else they
// could harm the history, and not the file.
func accessOfFile(name string, info, dir fs.FileInfo) access {
	mode := fsys.ModeWithoutACL(name, info.Mode().Perm())
	a := accessFor(dirMode(mode)&^keptFrom(info, dir), info)
	owner, _ := ownerOf(info)
	dirOwner, _ := ownerOf(dir)
	if owner != dirOwner && dir.Mode().Perm()&0o022 == 0 && a.uid >= 0 {
		a.uid = 0 // whoever has the file can't replace it
	}
	return a
}

// keptFrom are the rights to write that a file gives, and its directory does not.
func keptFrom(info, dir fs.FileInfo) fs.FileMode {
	group, _ := groupOf(info)
	dirGroup, _ := groupOf(dir)
	may := dir.Mode().Perm()
	switch {
	case dir.Mode()&fs.ModeSticky != 0:
		may &^= 0o022
	case group != dirGroup: // its members are anybody to the directory
		may = everybody(may)
	}
	return 0o022 &^ may
}

// ofNew is the access of what a file gets that is made in a directory: its maker's.
func ofNew(name string, info fs.FileInfo) access {
	mode := fsys.ModeWithoutACL(name, info.Mode().Perm()) &^ keptFrom(info, info)
	gid, _ := groupOf(info)
	if own := os.Getegid(); info.Mode()&fs.ModeSetgid == 0 && gid != own {
		gid, mode = own, everybody(mode)
	}
	a := accessFor(mode, info)
	a.uid, a.gid = -1, gid
	return a
}

// lessUmask is the access to what is of a file that is not there yet, as that will have
// it: of what was asked for, only what a file that was made so did get.
func (a access) lessUmask(made fs.FileMode) access {
	a.file &= made
	a.dir = a.dir.Perm() & (dirMode(made) | 0o700)
	if a.dir&0o020 != 0 {
		a.dir |= fs.ModeSetgid
	}
	return a
}

// ownersOnly keeps all others out.
func (a access) ownersOnly() access {
	a.dir &= 0o700
	a.file &= 0o700
	a.gid = -1
	return a
}

func accessFor(dir fs.FileMode, info fs.FileInfo) access {
	a := access{dir: dir | 0o700, uid: -1, gid: -1}
	a.file = a.dir &^ 0o111
	if a.dir&0o020 != 0 {
		a.dir |= fs.ModeSetgid // so that what other members make keeps the group
	}
	a.gid, _ = groupOf(info)
	if os.Geteuid() == 0 {
		a.uid, _ = ownerOf(info)
	}
	return a
}

// dirMode is the mode of a directory for those who may use a file of that mode:
// who reads the file may search and list, who writes it may change entries.
func dirMode(file fs.FileMode) fs.FileMode {
	var dir fs.FileMode
	for shift := 0; shift <= 6; shift += 3 {
		bits := file >> shift & 7
		if bits&4 != 0 {
			dir |= 5 << shift
		}
		if bits&2 != 0 {
			dir |= 7 << shift
		}
	}
	return dir
}

// within takes away what other does not give. The owner of what is new is other's.
func (a access) within(other access, isNew bool) access {
	give := other.dir
	if isNew {
		a.uid, a.gid = other.uid, other.gid
	} else if a.gid != other.gid {
		give = everybody(give)
	}
	a.dir &= give | fs.ModeSetgid
	a.file &= give
	return a
}

// everybody is a mode for another group than it was meant for: that is everybody else.
func everybody(mode fs.FileMode) fs.FileMode { return mode &^ (0o070 &^ (mode << 3)) }

// mkdir makes a directory that exists afterwards, with this access if it is new.
func (a access) mkdir(fsy fsys.FS, name string) error {
	err := fsy.Mkdir(name, a.dir.Perm())
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.applyTo(fsy, name)
}

func (a access) applyTo(fsy fsys.FS, dir string) error {
	f, err := fsy.OpenFile(dir, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return a.apply(f, a.dir)
}

// openInside gives what is in a journal's directory the access that the directory is
// about to get, where it has less. What was set aside stays the owner's.
func (s *Store) openInside(dir string, a access) error {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, want := filepath.Join(dir, e.Name()), a.file
		info, err := s.fs.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist), e.Name() == damagedDir:
			continue
		case err != nil:
			return err
		case info.IsDir():
			if err := s.openInside(name, a); err != nil {
				return err
			}
			want = a.dir
		case !info.Mode().IsRegular():
			continue
		}
		if want.Perm()&^info.Mode().Perm() == 0 {
			continue
		}
		if err := s.chmodDir(name, want|info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// writeFile makes a new file, whole and synced.
func (a access) writeFile(fsy fsys.FS, name, text string) error {
	f, err := fsy.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, a.file)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write([]byte(text)); err != nil {
		return err
	}
	if err := a.apply(f, a.file); err != nil {
		return err
	}
	return f.Sync()
}

// apply gives an open file its owner and mode, the umask notwithstanding. Where
// the group can't be given, the mode that was meant for it is taken away.
func (a access) apply(f fsys.File, mode fs.FileMode) error {
	err := a.chown(f)
	if errors.Is(err, fs.ErrPermission) {
		mode &^= 0o070
		err = nil
	}
	if err != nil {
		return err
	}
	return f.Chmod(mode)
}

func (a access) chown(f fsys.File) error {
	if a.uid < 0 && a.gid < 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	uid, gid := a.uid, a.gid
	if have, ok := ownerOf(info); ok && have == uid {
		uid = -1
	}
	if have, ok := groupOf(info); ok && have == gid {
		gid = -1
	}
	if uid < 0 && gid < 0 {
		return nil
	}
	return f.Chown(uid, gid)
}
