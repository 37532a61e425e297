package fsys

import "syscall"

func fileIDOfStat(st *syscall.Stat_t) FileID {
	return FileID{
		Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size, //nolint:unconvert // Dev is 32 bits wide on some machines
		Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(),
	}
}
