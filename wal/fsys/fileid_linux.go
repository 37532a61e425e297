package fsys

import (
	"io/fs"
	"syscall"
)

func fileIDOfStat(st *syscall.Stat_t) FileID {
	return FileID{
		Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size, //nolint:unconvert // Dev is 32 bits wide on some machines
		Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(),
	}
}

func lstatID(op, name string) (FileID, error) {
	if _, _, ok := within(name); ok {
		var st syscall.Stat_t
		err := statBeneath(op, name, func(fd int) error {
			defer syscall.Close(fd)
			return syscall.Fstat(fd, &st)
		})
		if err != nil {
			return FileID{}, err
		}
		return fileIDOfStat(&st), nil
	}
	var st syscall.Stat_t
	// Written out, since a call through a variable would put the structure on the heap.
	err := syscall.Lstat(Reach(name), &st)
	for err == syscall.EINTR { // as package os does
		err = syscall.Lstat(Reach(name), &st)
	}
	if err != nil {
		return FileID{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return fileIDOfStat(&st), nil
}
