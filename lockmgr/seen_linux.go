package lockmgr

import (
	"os"
	"strconv"
	"strings"
)

// initialPIDs is the pid namespace from which every process of the machine can be seen:
// its number is fixed in the kernel (PROC_PID_INIT_INO of proc_ns.h).
const initialPIDs = "pid:[4026531836]"

// Look asks the kernel which files are locked now.
func Look() Seen {
	raw, err := os.ReadFile("/proc/locks")
	if err != nil || !kernelTells() || Self().PIDNS != initialPIDs {
		return Seen{} // of a process that can't be seen nothing is told
	}
	s := Seen{known: true, locked: map[uint64]bool{}}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) > 1 && f[1] == "->" {
			f = f[1:]
		}
		if len(f) < 6 || f[1] != "FLOCK" {
			continue
		}
		if n, err := strconv.ParseUint(f[5][strings.LastIndexByte(f[5], ':')+1:], 10, 64); err == nil {
			s.locked[n] = true
		}
	}
	return s
}
