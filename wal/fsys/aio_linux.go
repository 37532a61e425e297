package fsys

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// aioContext is what io_setup(2) makes. The structures and numbers are those of
// linux/aio_abi.h; the kernel has syncs among the operations since 4.18.
type aioContext uintptr

const (
	aioFsync     = 2 // IOCB_CMD_FSYNC
	aioFdatasync = 3 // IOCB_CMD_FDSYNC
	aioNotify    = 1 // IOCB_FLAG_RESFD
)

// iocb is an operation. What is blank is 0 for a sync: flags for reading and writing,
// priority, buffer, size, offset.
type iocb struct {
	data   uint64 // comes back in the event
	_      uint64
	opcode uint16
	_      int16
	fd     uint32
	_      [4]uint64
	flags  uint32
	notify uint32 // an eventfd(2), with aioNotify
}

// ioEvent is the end of an operation. A negative result is an errno.
type ioEvent struct {
	data   uint64
	_      uint64 // where the iocb was
	result int64
	_      int64
}

func (e *ioEvent) err() error {
	if e.result < 0 {
		return unix.Errno(-e.result)
	}
	return nil
}

// newAIOContext makes a context for so many operations at once, and makes sure that
// they can be waited for.
func newAIOContext(most int) (aioContext, error) {
	var ctx aioContext
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, uintptr(most), uintptr(unsafe.Pointer(&ctx)), 0); errno != 0 {
		return 0, errno
	}
	_, err := ctx.collect(0, make([]ioEvent, 1))
	return ctx, err
}

// submit begins the operations and returns how many of them it could begin, from
// the first on. It does not wait.
func (ctx aioContext) submit(list []*iocb) int {
	n, _, errno := unix.RawSyscall(unix.SYS_IO_SUBMIT, uintptr(ctx), uintptr(len(list)), uintptr(unsafe.Pointer(&list[0])))
	runtime.KeepAlive(list)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// collect waits until at least so many operations have ended, and lists them.
func (ctx aioContext) collect(atLeast int, events []ioEvent) (n int, err error) {
	err = retried(func() error {
		r, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, uintptr(ctx), uintptr(atLeast), uintptr(len(events)), uintptr(unsafe.Pointer(&events[0])), 0, 0)
		if errno != 0 {
			return errno
		}
		n = int(r)
		return nil
	})
	return n, err
}
