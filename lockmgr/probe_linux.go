package lockmgr

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/wal/fsys"
)

// kernelLocks lists the flocks on file, from /proc/locks, whose lines are
//
//	1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
//	1: -> FLOCK  ADVISORY  WRITE 1235 08:01:5678 0 EOF
//
// with "->" before those who wait. Holders come first. It is false where that
// can't be read.
func kernelLocks(path string, file os.FileInfo) ([]kernelLock, bool) {
	raw, err := os.ReadFile("/proc/locks")
	st, ok := file.Sys().(*syscall.Stat_t)
	if err != nil || !ok {
		return nil, false
	}
	major, minor := deviceOf(path, st)
	id := fmt.Sprintf("%02x:%02x:%d", major, minor, st.Ino)
	var held, waiting []kernelLock
	for line := range strings.Lines(string(raw)) {
		l, ok := parseLock(line, id)
		switch {
		case ok && l.waits:
			waiting = append(waiting, l)
		case ok:
			held = append(held, l)
		}
	}
	return append(held, waiting...), true
}

func parseLock(line, id string) (kernelLock, bool) {
	f := strings.Fields(line)
	var l kernelLock
	if len(f) > 1 && f[1] == "->" {
		l.waits = true
		f = f[1:]
	}
	if len(f) < 6 || f[1] != "FLOCK" || f[5] != id {
		return l, false
	}
	if f[3] == "WRITE" {
		l.mode = Exclusive
	}
	pid, err := strconv.Atoi(f[4])
	l.pid = pid
	return l, err == nil && pid > 0
}

// deviceOf is the device by which the kernel calls the file system of path. It
// is not the device that stat tells where a file system has several volumes or
// layers, so it is looked up among the mounts.
func deviceOf(path string, st *syscall.Stat_t) (major, minor uint32) {
	major, minor = unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))
	var stx unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, fsys.Reach(path), unix.AT_SYMLINK_NOFOLLOW, unix.STATX_MNT_ID, &stx)
	if err != nil || stx.Mask&unix.STATX_MNT_ID == 0 {
		return major, minor
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return major, minor
	}
	// A line begins with: mount id, parent's id, major:minor.
	prefix := strconv.FormatUint(stx.Mnt_id, 10) + " "
	for line := range strings.Lines(string(mounts)) {
		if !strings.HasPrefix(line, prefix) {
			continue
		}
		var id, parent uint64
		if n, _ := fmt.Sscanf(line, "%d %d %d:%d", &id, &parent, &major, &minor); n == 4 {
			return major, minor
		}
	}
	return unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))
}
