package wal

import (
	"encoding/hex"
	"os"
	"strings"

	"github.com/jtx-project/jtx/wal/fsys"
)

// systemBootID reads the UUID that the kernel draws at each boot. It is the same
// in every container of one kernel, as is the page cache it vouches for.
func systemBootID() (id [16]byte, ok bool) {
	// By package os it would take three times as many system calls, in each run of jtx.
	f, err := fsys.OS.OpenFile("/proc/sys/kernel/random/boot_id", os.O_RDONLY, 0)
	if err != nil {
		return id, false
	}
	defer f.Close()
	var text [64]byte
	n, err := f.Read(text[:])
	if err != nil {
		return id, false
	}
	digits := strings.ReplaceAll(strings.TrimSpace(string(text[:n])), "-", "")
	if len(digits) != 2*len(id) {
		return id, false
	}
	_, err = hex.Decode(id[:], []byte(digits))
	return id, err == nil && id != [16]byte{}
}
