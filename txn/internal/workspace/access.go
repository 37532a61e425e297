package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Access is who may use what is made below .jtx: never more people than may use
// the file or directory that it belongs to.
type Access struct {
	Dir, File fs.FileMode
	uid, gid  int // the owner to give what is made, where the caller may
}

// AccessOfDir follows a directory: for what belongs to a whole workspace. In a sticky
// one that is the user's alone to write.
func (s *Site) AccessOfDir(dir string, uid int) (Access, error) {
	info, err := s.FS.Stat(dir)
	if err != nil {
		return Access{}, err
	}
	a := AccessFor(info.Mode().Perm(), info)
	if info.Mode()&fs.ModeSticky != 0 {
		a = AccessFor(info.Mode().Perm()&^0o022, info)
		a.gid = -1
		if a.uid >= 0 {
			a.uid = uid
		}
	}
	return a, nil
}

// AccessOfFile follows a tracked file: whoever may read it may read its journal.
// Whoever may write it may write that too, if they may write its directory: else they
// could harm the history, and not the file.
func AccessOfFile(name string, info, dir fs.FileInfo) Access {
	mode := fsys.ModeWithoutACL(name, info.Mode().Perm())
	a := AccessFor(DirMode(mode)&^keptFrom(info, dir), info)
	owner, _ := ownerOf(info)
	dirOwner, _ := ownerOf(dir)
	if owner != dirOwner && dir.Mode().Perm()&0o022 == 0 && a.uid >= 0 {
		a.uid = 0 // whoever has the file can't replace it
	}
	return a
}

// keptFrom are the rights to write that a file gives, and its directory does not.
func keptFrom(info, dir fs.FileInfo) fs.FileMode {
	group, _ := GroupOf(info)
	dirGroup, _ := GroupOf(dir)
	may := dir.Mode().Perm()
	switch {
	case dir.Mode()&fs.ModeSticky != 0:
		may &^= 0o022
	case group != dirGroup: // its members are anybody to the directory
		may = Everybody(may)
	}
	return 0o022 &^ may
}

// ofNew is the access of what a file gets that is made in a directory: its maker's.
func ofNew(name string, info fs.FileInfo) Access {
	mode := fsys.ModeWithoutACL(name, info.Mode().Perm()) &^ keptFrom(info, info)
	gid, _ := GroupOf(info)
	if own := os.Getegid(); info.Mode()&fs.ModeSetgid == 0 && gid != own {
		gid, mode = own, Everybody(mode)
	}
	a := AccessFor(mode, info)
	a.uid, a.gid = -1, gid
	return a
}

// lessUmask is the access to what is of a file that is not there yet, as that will have
// it: of what was asked for, only what a file that was made so did get.
func (a Access) lessUmask(made fs.FileMode) Access {
	a.File &= made
	a.Dir = a.Dir.Perm() & (DirMode(made) | 0o700)
	if a.Dir&0o020 != 0 {
		a.Dir |= fs.ModeSetgid
	}
	return a
}

// ownersOnly keeps all others out.
func (a Access) ownersOnly() Access {
	a.Dir &= 0o700
	a.File &= 0o700
	a.gid = -1
	return a
}

func AccessFor(dir fs.FileMode, info fs.FileInfo) Access {
	a := Access{Dir: dir | 0o700, uid: -1, gid: -1}
	a.File = a.Dir &^ 0o111
	if a.Dir&0o020 != 0 {
		a.Dir |= fs.ModeSetgid // so that what other members make keeps the group
	}
	a.gid, _ = GroupOf(info)
	if os.Geteuid() == 0 {
		a.uid, _ = ownerOf(info)
	}
	return a
}

// DirMode is the mode of a directory for those who may use a file of that mode:
// who reads the file may search and list, who writes it may change entries.
func DirMode(file fs.FileMode) fs.FileMode {
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
func (a Access) within(other Access, isNew bool) Access {
	give := other.Dir
	if isNew {
		a.uid, a.gid = other.uid, other.gid
	} else if a.gid != other.gid {
		give = Everybody(give)
	}
	a.Dir &= give | fs.ModeSetgid
	a.File &= give
	return a
}

// Everybody is a mode for another group than it was meant for: that is everybody else.
func Everybody(mode fs.FileMode) fs.FileMode { return mode &^ (0o070 &^ (mode << 3)) }

// Mkdir makes a directory that exists afterwards, with this access if it is new.
func (a Access) Mkdir(fsy fsys.FS, name string) error {
	err := fsy.Mkdir(name, a.Dir.Perm())
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.ApplyTo(fsy, name)
}

func (a Access) ApplyTo(fsy fsys.FS, dir string) error {
	f, err := fsy.OpenFile(dir, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return a.apply(f, a.Dir)
}

// OpenInside gives what is in a journal's directory the access that the directory is
// about to get, where it has less. What was set aside stays the owner's.
func (s *Site) OpenInside(dir string, a Access) error {
	entries, err := s.FS.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, want := filepath.Join(dir, e.Name()), a.File
		info, err := s.FS.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist), e.Name() == DamagedDir:
			continue
		case err != nil:
			return err
		case info.IsDir():
			if err := s.OpenInside(name, a); err != nil {
				return err
			}
			want = a.Dir
		case !info.Mode().IsRegular():
			continue
		}
		if want.Perm()&^info.Mode().Perm() == 0 {
			continue
		}
		if err := s.ChmodDir(name, want|info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile makes a new file, whole and synced.
func (a Access) WriteFile(fsy fsys.FS, name, text string) error {
	f, err := fsy.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, a.File)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write([]byte(text)); err != nil {
		return err
	}
	if err := a.apply(f, a.File); err != nil {
		return err
	}
	return f.Sync()
}

// apply gives an open file its owner and mode, the umask notwithstanding. Where
// the group can't be given, the mode that was meant for it is taken away.
func (a Access) apply(f fsys.File, mode fs.FileMode) error {
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

func (a Access) chown(f fsys.File) error {
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
	if have, ok := GroupOf(info); ok && have == gid {
		gid = -1
	}
	if uid < 0 && gid < 0 {
		return nil
	}
	return f.Chown(uid, gid)
}
