package fsys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// openBeneath opens a name at or below .jtx.
func openBeneath(name string, flag int, perm uint32) (int, error) {
	name = Reach(name)
	flag |= unix.O_CLOEXEC
	how := unix.OpenHow{Flags: uint64(flag), Resolve: unix.RESOLVE_NO_SYMLINKS}
	if flag&unix.O_CREAT != 0 {
		how.Mode = uint64(perm)
	}
	// Mostly no link leads to the directory of .jtx either, and one call does.
	fd, err := openat2(unix.AT_FDCWD, name, &how)
	if !errors.Is(err, unix.ELOOP) && !Refused(err) {
		return fd, err
	}
	root, rest, _ := beneath(name)
	dir, err := openat(unix.AT_FDCWD, root, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	how.Resolve |= unix.RESOLVE_BENEATH
	fd, err = openat2(dir, rest, &how)
	if Refused(err) {
		return walk(dir, rest, flag, perm)
	}
	return fd, err
}

// walk is openBeneath where there is no openat2(2): one component after the other.
func walk(dir int, rest string, flag int, perm uint32) (int, error) {
	for at := dir; ; {
		first, more, deeper := strings.Cut(rest, "/")
		if !deeper {
			fd, err := openat(at, first, flag|unix.O_NOFOLLOW, perm)
			if at != dir {
				unix.Close(at)
			}
			return fd, err
		}
		next, err := openat(at, first, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if at != dir {
			unix.Close(at)
		}
		if err != nil {
			return -1, err
		}
		at, rest = next, more
	}
}

func openat2(dir int, name string, how *unix.OpenHow) (fd int, err error) {
	err = retried(func() error {
		fd, err = unix.Openat2(dir, name, how)
		return err
	})
	return fd, err
}

func openat(dir int, name string, flag int, perm uint32) (fd int, err error) {
	err = retried(func() error {
		fd, err = unix.Openat(dir, name, flag|unix.O_CLOEXEC, perm)
		return err
	})
	return fd, err
}

// openOurs opens a name at or below .jtx for whoever reads or writes there. It does
// not wait for the other end of a FIFO.
func openOurs(name string, flag int, perm fs.FileMode) (*os.File, error) {
	fd, err := openBeneath(name, flag|unix.O_NONBLOCK, uint32(perm.Perm()))
	if err != nil {
		return nil, pathError("open", name, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, pathError("open", name, err)
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFREG && kind != unix.S_IFDIR {
		unix.Close(fd)
		return nil, pathError("open", name, unix.ENXIO)
	}
	// Package os would try whether what is non-blocking can be waited for. Where the flag
	// stays it does, and no more.
	_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flag&unix.O_APPEND)
	return os.NewFile(uintptr(fd), name), nil
}

// pathError says what stands below .jtx, where it is nothing of jtx's.
func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: explained(name, err)}
}

func explained(name string, err error) error {
	if _, _, ours := beneath(name); !ours {
		return err
	}
	for _, p := range []plantedError{
		{"a symbolic link, which is not followed", unix.ELOOP},
		{"a FIFO, a socket or a device", unix.ENXIO},
		{"a directory", unix.EISDIR},
		{"not a directory", unix.ENOTDIR},
	} {
		if errors.Is(err, p.err) {
			return &p
		}
	}
	return err
}

// spot is where a call finds a name: in a directory that is open.
type spot struct {
	dir  int
	name string
}

// find opens the directory of a name in .jtx. All other names stand for themselves.
func find(name string) (spot, error) {
	if _, _, ok := within(name); !ok {
		return spot{unix.AT_FDCWD, Reach(name)}, nil
	}
	dir, base := filepath.Split(name)
	dir = filepath.Clean(dir)
	fd, err := openBeneath(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	return spot{fd, base}, err
}

func (s spot) leave() {
	if s.dir != unix.AT_FDCWD {
		unix.Close(s.dir)
	}
}

// at makes a call for a name at its spot.
func at(op, name string, call func(spot) error) error {
	s, err := find(name)
	if err == nil {
		err = retried(func() error { return call(s) })
		s.leave()
	}
	if err != nil {
		return pathError(op, name, err)
	}
	return nil
}

// atBoth makes a call for two names.
func atBoth(op, oldname, newname string, call func(from, to spot) error) error {
	from, err := find(oldname)
	if err != nil {
		return &os.LinkError{Op: op, Old: oldname, New: newname, Err: explained(oldname, err)}
	}
	defer from.leave()
	to, err := find(newname)
	if err != nil {
		return &os.LinkError{Op: op, Old: oldname, New: newname, Err: explained(newname, err)}
	}
	defer to.leave()
	if err := retried(func() error { return call(from, to) }); err != nil {
		return &os.LinkError{Op: op, Old: oldname, New: newname, Err: err}
	}
	return nil
}

// statBeneath is lstat(2) of a name in .jtx. look closes what it gets.
func statBeneath(op, name string, look func(fd int) error) error {
	fd, err := openBeneath(name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err == nil {
		err = look(fd)
	}
	if err != nil {
		return pathError(op, name, err)
	}
	return nil
}

// Beneath gives a name that leads to the same file, with no link followed below .jtx,
// and keeps doing so until it is released: for libraries that want a name.
func Beneath(name string) (path string, release func(), err error) {
	s, err := find(name)
	if err != nil {
		return "", nil, pathError("open", name, err)
	}
	if s.dir == unix.AT_FDCWD {
		return name, func() {}, nil
	}
	path, ok := ofDescriptor(s.dir)
	if !ok {
		s.leave()
		return name, func() {}, nil
	}
	return path + "/" + s.name, s.leave, nil
}

// BeneathDir is Beneath for a directory.
func BeneathDir(name string) (path string, release func(), err error) {
	if _, _, ok := within(name); !ok {
		return name, func() {}, nil
	}
	fd, err := openBeneath(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return "", nil, pathError("open", name, err)
	}
	release = func() { unix.Close(fd) }
	path, ok := ofDescriptor(fd)
	if !ok {
		release()
		return name, func() {}, nil
	}
	return path, release, nil
}

// ofDescriptor is a name of what is open. There is none without /proc: then it was
// looked at, at least.
func ofDescriptor(fd int) (string, bool) {
	return descriptors + strconv.Itoa(fd), hasDescriptors()
}

const descriptors = "/proc/self/fd/"

// hasDescriptors tells whether there is /proc.
var hasDescriptors = sync.OnceValue(func() bool { return unix.Access(descriptors, unix.F_OK) == nil })
