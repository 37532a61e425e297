package lockmgr

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, the unit of times in /proc, which is 100 on all
// architectures that Go runs on.
const ticksPerSecond = 100

func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

func pidNamespace() string {
	ns, _ := os.Readlink("/proc/self/ns/pid")
	return ns
}

// startTicks is field 22 of /proc/PID/stat. It is false where no such process
// runs: a zombie has ended, only nobody has asked it how. Where /proc hides
// it (hidepid), signal 0 tells whether there is one, and the time is zero.
func startTicks(pid int) (uint64, bool) {
	if pid <= 0 {
		return 0, false
	}
	fields, err := statFields(pid)
	if err != nil {
		return 0, unix.Kill(pid, 0) != unix.ESRCH
	}
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return 0, false
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	return start, err == nil
}

// isStopped says whether a process is in state T (stopped) or t (traced).
func isStopped(pid int) bool {
	fields, err := statFields(pid)
	return err == nil && len(fields) > 0 && strings.EqualFold(fields[0], "T")
}

// statFields are the fields of /proc/PID/stat from the third on, the state.
func statFields(pid int) ([]string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	// Field 2 is the name in parentheses and may hold any byte, also ")".
	return strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])), nil
}

// commandLine is the short name of another process, empty where it is unknown.
func commandLine(pid int) string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(raw) == 0 {
		return ""
	}
	return clip(commandOf(strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")), maxCommand)
}

// uptime is the time since the machine was started, sleep included.
func uptime() (time.Duration, bool) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, false
	}
	return time.Duration(ts.Nano()), true
}
