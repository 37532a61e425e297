package fsys

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The Go runtime takes the processor of a goroutine that waits in a system call
// away from it only some 20 µs later. So on few processors syncs that are begun by
// several goroutines at once are made more or less in a row. Here they are begun
// by io_submit(2), which returns at once: those of one [Syncs] all by one call
// (syncAlone), and those of many goroutines each by its own, which then waits as
// for a socket (submitter). A unit of eight files is 1.1 to 1.4 times as fast by the
// first, 64 documents on ext4 with a journal 1.5 to 2.1 times by the other, which is
// why that stays though it loses a third on a busy ext4 without one: few disks are so
// (cmd/peers/README.md).
//
// The error of a sync is that of its event; what could not be begun is made in a system call,
// and where the kernel has no such operations (before 4.18, or in a sandbox) everything is. The
// context costs some 30 ms when the process ends, so it is only made when syncs have met 200
// times. Other systems, and tests that fail a sync, use goroutines. TestSyncsTellOfAFailedDisk
// has a disk fail below each way.

// mostTogether is how many syncs of one Syncs are begun at once.
const mostTogether = 64

// worthwhile is how often syncs must have met that could have been begun together
// before they are. The context costs some 30 ms when the process ends (the kernel
// waits until no processor can be using it), which a short one would not win back.
var worthwhile int64 = 200

var (
	syncing atomic.Int64 // syncs that are under way
	met     atomic.Int64 // how often syncs met
)

func together() bool { return met.Add(1) > worthwhile }

// apart gives up beginning syncs together: the kernel doesn't know how.
func apart() { met.Store(math.MinInt64) }

// syncFile makes one sync: in a system call, unless others are under way.
func syncFile(f *os.File, data bool) error {
	defer syncing.Add(-1)
	if syncing.Add(1) > 1 && together() {
		if err, begun := syncAmongOthers(f, data); begun {
			return synced(f, data, err)
		}
	}
	return synced(f, data, syncDirectly(f, data))
}

func syncDirectly(f *os.File, data bool) error {
	call := unix.Fsync
	if data {
		call = unix.Fdatasync
	}
	defer runtime.KeepAlive(f)
	return retried(func() error { return call(int(f.Fd())) }) // EINTR: it has not begun
}

// synced is what a sync has come to. One that was refused, which is not one that has
// failed, is made in another way.
func synced(f *os.File, data bool, err error) error {
	if data && Refused(err) {
		data, err = false, syncDirectly(f, false)
	}
	if err != nil && refusesDir(f, err) {
		err = syncAll(f)
	}
	if err == nil {
		return nil
	}
	op := "fsync"
	if data {
		op = "fdatasync"
	}
	return &os.PathError{Op: op, Path: f.Name(), Err: err}
}

// refusesDir tells that a file system can't sync a directory.
func refusesDir(f *os.File, err error) bool {
	if !Refused(err) && !errors.Is(err, unix.EBADF) {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.IsDir()
}

// syncAll syncs the whole file system, the names of this directory with it. Where
// that is refused too there is no way to make a name durable, other than to wait:
// jtx selftest says so.
func syncAll(dir *os.File) error {
	defer runtime.KeepAlive(dir)
	err := retried(func() error { return unix.Syncfs(int(dir.Fd())) })
	if Refused(err) {
		return nil
	}
	return err
}

func syncOf(f *os.File, data bool) iocb {
	cb := iocb{opcode: aioFsync, fd: uint32(f.Fd())}
	if data {
		cb.opcode = aioFdatasync
	}
	return cb
}

// syncTogether makes all syncs of a list, if they are of files of the operating
// system, and no other goroutine's are under way. It reports false where it has
// done nothing.
func syncTogether(list []pending) bool {
	n := int64(len(list))
	if n < 2 || n > mostTogether+1 {
		return false
	}
	for i := range list {
		if _, ok := list[i].file.(osFile); !ok {
			return false
		}
	}
	defer syncing.Add(-n)
	return syncing.Add(n) == n && together() && syncAlone(list)
}

func (p *pending) os() *os.File { return p.file.(osFile).File }

// alone is the context of who syncs several files while nobody else does.
var alone struct {
	sync.Mutex
	context func() (aioContext, error)
	cbs     [mostTogether]iocb
	begin   [mostTogether]*iocb
	ended   [mostTogether]ioEvent
}

func init() {
	alone.context = sync.OnceValues(func() (aioContext, error) { return newAIOContext(mostTogether) })
}

// syncAlone begins all syncs but the first, makes that one in a system call, and
// waits for the others in another.
func syncAlone(list []pending) bool {
	if !alone.TryLock() {
		return false
	}
	defer alone.Unlock()
	ctx, err := alone.context()
	if err != nil {
		apart()
		return false
	}
	rest := list[1:]
	for i := range rest {
		alone.cbs[i] = syncOf(rest[i].os(), rest[i].data)
		alone.cbs[i].data = uint64(i)
		alone.begin[i] = &alone.cbs[i]
	}
	begun := ctx.submit(alone.begin[:len(rest)])
	if begun == 0 {
		apart()
		return false
	}
	list[0].direct()
	for i := range rest[begun:] {
		rest[begun+i].direct()
	}
	for begun > 0 {
		n := ctx.mustCollect(begun, alone.ended[:])
		for _, e := range alone.ended[:n] {
			p := &rest[e.data]
			p.err = synced(p.os(), p.data, e.err())
		}
		begun -= n
	}
	runtime.KeepAlive(list)
	return true
}

func (p *pending) direct() { p.err = synced(p.os(), p.data, syncDirectly(p.os(), p.data)) }

// mustCollect is collect, which can't fail on a context that is never destroyed.
func (ctx aioContext) mustCollect(atLeast int, events []ioEvent) int {
	n, err := ctx.collect(atLeast, events)
	if err != nil {
		apart()                                     // whoever recovers from this must not meet what is still to come
		panic(fmt.Sprintf("io_getevents: %v", err)) // whether the syncs succeeded can't be known
	}
	return n
}
