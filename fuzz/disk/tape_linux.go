package disk

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// sector is what a disk writes whole or not at all.
const sector = 4096

// Tape is a disk that remembers what was written to it, in order, and when it
// was told to flush. It is served by FUSE as a file, to be attached to a loop
// device.
type Tape struct {
	fs.Inode
	image *os.File
	size  int64

	mu      sync.Mutex
	events  []event
	stopped bool
	server  *fuse.Server
}

// event is a write, or a flush where it has no data.
type event struct {
	off  int64
	data []byte
}

// tapeName is the file in the directory where a tape is served.
const tapeName = "disk"

// NoTape says why no tape can be served here, empty where one can.
func NoTape() string {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return "no FUSE: " + err.Error()
	}
	f.Close()
	return ""
}

// ServeTape serves the image, which takes the writes too, in dir.
func ServeTape(image, dir string) (*Tape, error) {
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	t := &Tape{image: f, size: st.Size()}
	opt := &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, MaxWrite: 1 << 20, FsName: "tape"}}
	if t.server, err = fs.Mount(dir, &shelf{tape: t}, opt); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, closeOnExec("/dev/fuse")
}

// closeOnExec keeps the descriptors of a device from child processes. While one of
// them had that of the server, its death would not end the service, and whoever
// waits for the disk would wait for ever.
func closeOnExec(device string) error {
	const open = "/proc/self/fd"
	list, err := os.ReadDir(open)
	if err != nil {
		return err
	}
	for _, e := range list {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return err
		}
		// One that has been closed since is of no interest.
		if name, err := os.Readlink(filepath.Join(open, e.Name())); err == nil && name == device {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// Stop ends the recording; what is written afterwards is not remembered.
func (t *Tape) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
}

// Close ends the service. Nothing may be mounted from it any more.
func (t *Tape) Close() error {
	if err := t.server.Unmount(); err != nil {
		return err
	}
	return t.image.Close()
}

// Len is the number of events so far.
func (t *Tape) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.events)
}

// shelf is the directory that holds a tape.
type shelf struct {
	fs.Inode
	tape *Tape
}

func (s *shelf) OnAdd(ctx context.Context) {
	s.AddChild(tapeName, s.NewPersistentInode(ctx, s.tape, fs.StableAttr{Mode: syscall.S_IFREG}), false)
}

func (t *Tape) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = syscall.S_IFREG|0o600, uint64(t.size)
	return 0
}

// Setattr takes the times that the kernel keeps, and changes nothing.
func (t *Tape) Setattr(ctx context.Context, f fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return t.Getattr(ctx, f, out)
}

func (t *Tape) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

func (t *Tape) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	return fuse.ReadResultFd(t.image.Fd(), off, len(dest)), 0
}

func (t *Tape) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.image.WriteAt(data, off); err != nil {
		return 0, fs.ToErrno(err)
	}
	if !t.stopped {
		t.events = append(t.events, event{off, slices.Clone(data)})
	}
	return uint32(len(data)), 0
}

func (t *Tape) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		t.events = append(t.events, event{})
	}
	return 0
}

// Replay puts onto base, an image as it was when the service began, what a power
// cut after the first at events may leave there: all that was flushed, and of what
// was not, each sector or not, as rng says.
func (t *Tape) Replay(base *os.File, at int, rng *rand.Rand) error {
	t.mu.Lock()
	events := t.events[:at]
	t.mu.Unlock()
	flushed := 0
	for i, e := range events {
		if e.data == nil {
			flushed = i
		}
	}
	keep := rng.Float64() // a disk that has written most of it back, or nearly nothing
	for i, e := range events {
		for from := 0; from < len(e.data); from += sector {
			if i > flushed && rng.Float64() >= keep {
				continue
			}
			if _, err := base.WriteAt(e.data[from:min(from+sector, len(e.data))], e.off+int64(from)); err != nil {
				return err
			}
		}
	}
	return nil
}
