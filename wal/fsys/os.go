package fsys

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// OS is the operating system's file system.
var OS FS = osFS{}

type osFS struct{}

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := openFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Mkdir(name string, perm fs.FileMode) error { return mkdir(name, perm) }
func (osFS) Rename(oldname, newname string) error      { return rename(oldname, newname) }
func (osFS) Link(oldname, newname string) error        { return link(oldname, newname) }
func (osFS) Remove(name string) error                  { return remove(name) }
func (osFS) Readlink(name string) (string, error)      { return os.Readlink(Reach(name)) }

func (osFS) Lstat(name string) (fs.FileInfo, error) { return lstat("lstat", name) }

// Stat follows no link at or below .jtx.
func (osFS) Stat(name string) (fs.FileInfo, error) {
	if _, _, ours := beneath(name); ours {
		return lstat("stat", name)
	}
	return renamed(name, os.Stat)
}

// renamed makes a call for a name as it is reached. An error, and what it gives, have the
// name that was asked for.
func renamed(name string, call func(string) (fs.FileInfo, error)) (fs.FileInfo, error) {
	by := Reach(name)
	info, err := call(by)
	var failed *fs.PathError
	if by != name && errors.As(err, &failed) {
		failed.Path = name
	}
	return info, err
}

// ReadDir is os.ReadDir.
func (osFS) ReadDir(name string) ([]fs.DirEntry, error) {
	dir, err := openFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	list, err := dir.ReadDir(-1)
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// Wrap makes a File of an open file of the operating system.
func Wrap(f *os.File) File { return osFile{f} }

type osFile struct{ *os.File }

// Chmod succeeds, too, where a mode can't be set but gives nobody more than was meant.
func (f osFile) Chmod(mode fs.FileMode) error {
	err := f.File.Chmod(mode)
	if Refused(err) && modeWillDo(f.File, mode) {
		return nil
	}
	return err
}

// modeWillDo tells that a file whose mode can't be set has no wider one, or is where
// files have no modes of their own. To execute a file is not asked for.
func modeWillDo(f *os.File, mode fs.FileMode) bool {
	const readWrite = 0o666
	info, err := f.Stat()
	return err == nil && (info.Mode()&readWrite&^mode == 0 || modeless(f))
}

// renameToNew is RenameNoReplace where the system has no such call. As a hard link the
// new name is made only where it is free. Where there are no hard links either, as of
// directories, it is looked for first: what another program makes of that name in between is lost.
func renameToNew(oldname, newname string) error {
	err := link(oldname, newname)
	switch {
	case err == nil:
		return remove(oldname)
	case !Refused(err) && !errors.Is(err, fs.ErrPermission):
		return err
	}
	if _, err := lstat("lstat", newname); err == nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return rename(oldname, newname)
}
