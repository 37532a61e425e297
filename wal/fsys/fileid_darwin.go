package fsys

import (
	"errors"
	"io/fs"
	"syscall"
)

func fileIDOfStat(st *syscall.Stat_t) FileID {
	return FileID{
		Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size,
		Mtime: st.Mtimespec.Nano(), Ctime: st.Ctimespec.Nano(),
	}
}

func lstatID(op, name string) (FileID, error) {
	if err := checkBeneath(op, name); err != nil {
		return FileID{}, err
	}
	var st syscall.Stat_t
	err := syscall.Lstat(name, &st)
	for errors.Is(err, syscall.EINTR) { // as package os does
		err = syscall.Lstat(name, &st)
	}
	if err != nil {
		return FileID{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return fileIDOfStat(&st), nil
}
