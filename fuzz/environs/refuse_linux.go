package environs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refusal is a system call that the kernel answers with an error, as one without it
// does, or a sandbox.
type refusal struct {
	call  string // a key of calls
	errno syscall.Errno
}

func (r refusal) String() string {
	return fmt.Sprintf("%s=%s", r.call, unix.ErrnoName(r.errno))
}

// call is a system call, or those uses of it whose argument has a bit of a mask, or
// a value.
type call struct {
	nr    uint32
	arg   int // from 0, with mask or value
	mask  uint32
	value uint32
}

var calls = map[string]call{
	"renameat2":       {nr: unix.SYS_RENAMEAT2},
	"linkat":          {nr: unix.SYS_LINKAT},
	"statx":           {nr: unix.SYS_STATX},
	"statfs":          {nr: unix.SYS_STATFS},
	"fstatfs":         {nr: unix.SYS_FSTATFS},
	"openat2":         {nr: unix.SYS_OPENAT2},
	"flock":           {nr: unix.SYS_FLOCK},
	"fallocate":       {nr: unix.SYS_FALLOCATE},
	"fdatasync":       {nr: unix.SYS_FDATASYNC},
	"sync_file_range": {nr: unix.SYS_SYNC_FILE_RANGE},
	"io_setup":        {nr: unix.SYS_IO_SETUP},
	"io_submit":       {nr: unix.SYS_IO_SUBMIT},
	"lease":           {nr: unix.SYS_FCNTL, arg: 1, value: unix.F_SETLEASE},
	"listxattr":       {nr: unix.SYS_LISTXATTR},
	"getxattr":        {nr: unix.SYS_GETXATTR},
	"fsetxattr":       {nr: unix.SYS_FSETXATTR},
	"fchmod":          {nr: unix.SYS_FCHMOD},
	"fchown":          {nr: unix.SYS_FCHOWN},
	"inotify":         {nr: unix.SYS_INOTIFY_INIT1},
	"pidfd_open":      {nr: unix.SYS_PIDFD_OPEN},
	"madvise":         {nr: unix.SYS_MADVISE, arg: 2, value: unix.MADV_HUGEPAGE},
}

// envRefuse is set for a process that is to refuse calls to the program it becomes:
// refusals, separated by commas.
const envRefuse = "JTX_ENVIRONS_REFUSE"

// refusing makes cmd run, through this very binary, under a kernel that refuses
// calls to it.
func refusing(cmd *exec.Cmd, refusals ...refusal) {
	self, err := os.Executable()
	if err != nil {
		panic(err) // a test binary knows where it is
	}
	var list []string
	for _, r := range refusals {
		list = append(list, fmt.Sprintf("%s=%d", r.call, r.errno))
	}
	cmd.Args = append([]string{self, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = self
	cmd.Env = append(cmd.Environ(), envRefuse+"="+strings.Join(list, ","))
}

// becomeRefused installs the filter that the environment asks for and becomes the
// program that the arguments name. It returns where it could not.
func becomeRefused() error {
	var filter []unix.SockFilter
	for _, word := range strings.Split(os.Getenv(envRefuse), ",") {
		name, text, _ := strings.Cut(word, "=")
		errno, err := strconv.Atoi(text)
		c, ok := calls[name]
		if err != nil || !ok {
			return fmt.Errorf("%s: no refusal %q", envRefuse, word)
		}
		filter = append(filter, c.refuse(syscall.Errno(errno))...)
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW})
	if err := os.Unsetenv(envRefuse); err != nil {
		return err
	}
	runtime.LockOSThread() // a filter belongs to a thread, and the program takes over this one
	if err := install(filter); err != nil {
		return err
	}
	return syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
}

// The fields of struct seccomp_data; of an argument, the low half where the machine
// is little-endian, as all that Go's tests of jtx run on.
const (
	dataNumber = 0
	dataArgs   = 16
)

// refuse is the part of a filter that answers a call with an error and passes over
// all others.
func (c call) refuse(errno syscall.Errno) []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	answer := unix.SockFilter{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ERRNO | uint32(errno)}
	var test []unix.SockFilter
	switch {
	case c.mask != 0:
		test = []unix.SockFilter{load(dataArgs + 8*uint32(c.arg)), {Code: unix.BPF_JMP | unix.BPF_JSET, Jf: 1, K: c.mask}}
	case c.value != 0:
		test = []unix.SockFilter{load(dataArgs + 8*uint32(c.arg)), {Code: unix.BPF_JMP | unix.BPF_JEQ, Jf: 1, K: c.value}}
	}
	others := uint8(len(test) + 1)
	filter := []unix.SockFilter{load(dataNumber), {Code: unix.BPF_JMP | unix.BPF_JEQ, Jf: others, K: c.nr}}
	return append(append(filter, test...), answer)
}

func install(filter []unix.SockFilter) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
	runtime.KeepAlive(filter)
	if err != nil {
		return errors.Join(errors.New("installing a seccomp filter"), err)
	}
	return nil
}
