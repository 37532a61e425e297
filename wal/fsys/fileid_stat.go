//go:build linux || darwin

package fsys

import (
	"errors"
	"io/fs"
	"syscall"
)

func fileIDOf(info fs.FileInfo) FileID {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return plainFileID(info)
	}
	return fileIDOfStat(st)
}

// StatID is stat(2). The two are written out, since a call through a variable
// would put the structure on the heap.
func (osFS) StatID(name string) (FileID, error) {
	if _, _, ours := beneath(name); ours {
		return lstatID("stat", name)
	}
	var st syscall.Stat_t
	err := syscall.Stat(Reach(name), &st)
	for errors.Is(err, syscall.EINTR) { // as package os does
		err = syscall.Stat(Reach(name), &st)
	}
	if err != nil {
		return FileID{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return fileIDOfStat(&st), nil
}

// LstatID is lstat(2).
func (osFS) LstatID(name string) (FileID, error) { return lstatID("lstat", name) }
