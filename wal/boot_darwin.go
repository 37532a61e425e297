package wal

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// systemBootID is the time of the boot. A step of the clock moves it, which looks
// like another boot and is safe.
func systemBootID() (id [16]byte, ok bool) {
	tv, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return id, false
	}
	copy(id[:4], "boot")
	binary.LittleEndian.PutUint64(id[8:], uint64(tv.Nano()))
	return id, true
}
