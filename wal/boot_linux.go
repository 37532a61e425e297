package wal

import (
	"encoding/hex"
	"os"
	"strings"
)

// systemBootID reads the UUID that the kernel draws at each boot. It is the same
// in every container of one kernel, as is the page cache it vouches for.
func systemBootID() (id [16]byte, ok bool) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id, false
	}
	digits := strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")
	if len(digits) != 2*len(id) {
		return id, false
	}
	_, err = hex.Decode(id[:], []byte(digits))
	return id, err == nil && id != [16]byte{}
}
