package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/crashfs"
)

// inside marks a process that Isolate has started.
const inside = "JTX_DISK_INSIDE"

// Isolate runs this program again in a mount namespace of its own and returns its
// exit code. With the last process in there all its mounts go, and with those the
// loop devices; the scratch directory goes too. It returns false where this is already that run, or where there
// is no right to make one; then tests that mount skip (see Unavailable).
func Isolate() (code int, done bool) {
	if os.Getenv(inside) != "" || os.Geteuid() != 0 {
		return 0, false
	}
	exe, err := os.Executable()
	if err != nil {
		return 0, false
	}
	dir, err := crashfs.ScratchDir()
	if err != nil {
		return 0, false
	}
	// It is in memory; nothing is to be done where some of it stays.
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1", "CRASHFS_DIR="+dir)
	// Unshareflags makes all mounts private as well.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // Pdeathsig is about this thread
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, true
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), true
	}
	return 0, false
}

// Unavailable says why nothing can be mounted here, empty where it can.
func Unavailable() string {
	switch {
	case os.Geteuid() != 0:
		return "mounting needs root"
	case os.Getenv(inside) == "":
		return "there is no right to make a mount namespace"
	}
	return ""
}

// NoLoop says why there is no loop device to be had, empty where there is.
func NoLoop() string {
	f, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return fmt.Sprintf("no loop devices: %v", err)
	}
	defer f.Close()
	if _, err := unix.IoctlRetInt(int(f.Fd()), unix.LOOP_CTL_GET_FREE); err != nil {
		return fmt.Sprintf("no loop device is free: %v", err)
	}
	return ""
}
