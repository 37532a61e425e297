package wal

import (
	"io/fs"
	"syscall"
)

func fileIDOf(info fs.FileInfo) FileID {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return plainFileID(info)
	}
	return FileID{
		Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size, //nolint:unconvert // Dev is 32 bits wide on some machines
		Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(),
	}
}
