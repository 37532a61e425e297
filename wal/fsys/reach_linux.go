package fsys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// reached is a directory whose path leads through one that can't be searched, as that of
// the working directory may under sudo -u. By a descriptor what is in it can be used all
// the same.
type reached struct{ path, by string }

var (
	here    atomic.Pointer[reached]
	hereMu  sync.Mutex
	through = "/." // a name of the directory itself, and not of the link to it
)

// ReachHere makes the names below the working directory lead there where its path does
// not, and those below the directories above it that can be searched: the topmost of
// these is what is reached. dir is a name that is about to be used.
func ReachHere(dir string) error {
	if err := unix.Access(dir, unix.F_OK); err != unix.EACCES {
		return nil
	}
	wd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(wd) || !hasDescriptors() {
		return err // what uses it says that it can't be reached
	}
	hereMu.Lock()
	defer hereMu.Unlock()
	fd, err := openat(unix.AT_FDCWD, ".", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: wd, Err: err}
	}
	for wd != "/" {
		above, err := openat(fd, "..", unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			break
		}
		if unix.Faccessat(above, ".", unix.X_OK, 0) != nil {
			unix.Close(above)
			break
		}
		unix.Close(fd)
		fd, wd = above, filepath.Dir(wd)
	}
	if h := here.Load(); h != nil && h.path == wd {
		unix.Close(fd)
		return nil
	}
	by, _ := ofDescriptor(fd) // stays open, since names that lead through it may be anywhere
	here.Store(&reached{wd, by})
	return nil
}

// Reach is a name for system calls that leads to where name does.
func Reach(name string) string {
	h := here.Load()
	if h == nil {
		return name
	}
	if name == h.path {
		return h.by + through
	}
	if rest, ok := strings.CutPrefix(name, h.path+"/"); ok {
		return h.by + "/" + rest
	}
	return name
}

// IsHere tells of a name that it is that of the directory which is reached otherwise: what
// is above it can't be asked.
func IsHere(name string) bool {
	h := here.Load()
	return h != nil && h.path == name
}

// EvalSymlinks is filepath.EvalSymlinks. The path of the directory that is reached
// otherwise has no links, since the kernel tells it.
func EvalSymlinks(name string) (string, error) {
	h := here.Load()
	if h == nil {
		return filepath.EvalSymlinks(name)
	}
	const maxLinks = 255
	for range maxLinks {
		if name == h.path {
			return name, nil
		}
		if !strings.HasPrefix(name, h.path+"/") {
			// It may be a link to what is reached otherwise.
			real, err := filepath.EvalSymlinks(name)
			link, linkErr := os.Readlink(name)
			if !errors.Is(err, fs.ErrPermission) || linkErr != nil {
				return real, err
			}
			name = joined(filepath.Dir(name), link)
			continue
		}
		dir, err := EvalSymlinks(filepath.Dir(name))
		if err != nil {
			return "", err
		}
		name = filepath.Join(dir, filepath.Base(name))
		info, err := OS.Lstat(name)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return name, err
		}
		link, err := OS.Readlink(name)
		if err != nil {
			return "", err
		}
		name = joined(dir, link)
	}
	return "", &fs.PathError{Op: "resolve", Path: name, Err: unix.ELOOP}
}

// joined is what a link in a directory leads to.
func joined(dir, link string) string {
	if filepath.IsAbs(link) {
		return filepath.Clean(link)
	}
	return filepath.Join(dir, link)
}

// WalkDir is filepath.WalkDir.
func WalkDir(root string, fn fs.WalkDirFunc) error {
	h, by := here.Load(), Reach(root)
	if by == root {
		return filepath.WalkDir(root, fn)
	}
	return filepath.WalkDir(by, func(at string, e fs.DirEntry, err error) error {
		if at == by {
			return fn(root, e, err)
		}
		return fn(h.path+strings.TrimPrefix(at, h.by), e, err)
	})
}
