package recovery

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/wal/fsys"
)

// copyMetadata gives f the owner, mode, ACL and extended attributes that target
// has. What the caller may not give is named in a warning each; access is then
// narrowed, never widened.
func copyMetadata(f fsys.File, target string, old fs.FileInfo) ([]string, error) {
	warnings, mode, err := copyOwner(f, target, old)
	if err != nil {
		return nil, err
	}
	// The owner first: chown clears the set-user-id bits.
	if err := f.Chmod(mode); err != nil {
		return nil, err
	}
	more, err := copyXattrs(int(f.Fd()), target)
	if errors.Is(err, errACLLost) {
		// The bits of the group were the most that the list gave to anybody.
		err = f.Chmod(noGroup(mode))
	}
	return append(warnings, more...), err
}

// noGroup is a mode for a group that is everybody else.
func noGroup(mode fs.FileMode) fs.FileMode {
	everyone := mode & 0o007
	return mode&^(fs.ModeSetgid|0o070) | everyone<<3&mode
}

func copyOwner(f fsys.File, target string, old fs.FileInfo) (warnings []string, mode fs.FileMode, err error) {
	mode = old.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	want, have := old.Sys().(*syscall.Stat_t), info.Sys().(*syscall.Stat_t)
	if want.Uid == have.Uid && want.Gid == have.Gid {
		return nil, mode, nil
	}
	err = f.Chown(int(want.Uid), int(want.Gid))
	if !notGiven(err) {
		return nil, mode, err
	}
	if want.Uid != have.Uid {
		mode &^= fs.ModeSetuid
		if !ofTeam(target, want) {
			warnings = append(warnings, fmt.Sprintf("the owner (uid %d) could not be kept", want.Uid))
		}
	}
	if want.Gid == have.Gid {
		return warnings, mode, nil
	}
	err = f.Chown(-1, int(want.Gid))
	if notGiven(err) {
		// Another group must not get what the old one had.
		return append(warnings, fmt.Sprintf("the group (gid %d) could not be kept", want.Gid)), noGroup(mode), nil
	}
	return warnings, mode, err
}

// ofTeam tells that a group shares a file and its directory, and may do with it what its
// owner may: whoever saves it there becomes its owner, and nobody loses a right by that.
func ofTeam(target string, file *syscall.Stat_t) bool {
	var dir syscall.Stat_t
	err := syscall.Stat(filepath.Dir(target), &dir)
	return err == nil && dir.Gid == file.Gid && dir.Mode&0o020 != 0 && file.Mode>>6&^(file.Mode>>3)&7 == 0
}

// notGiven tells that the caller may not give something, or that nobody can here.
func notGiven(err error) bool { return errors.Is(err, fs.ErrPermission) || fsys.Refused(err) }

// errACLLost is returned where a file's access control list, or whether it has one,
// could not be kept.
var errACLLost = errors.New("the access control list is lost")

const xattrACL = "system.posix_acl_access"

// copyXattrs copies every extended attribute, POSIX ACLs among them.
func copyXattrs(fd int, from string) (warnings []string, err error) {
	var small [1024]byte
	names, err := listXattrs(from, small[:])
	if notGiven(err) {
		return []string{"its extended attributes can't be seen, and could not be kept"}, errACLLost
	}
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var lost error
	for _, name := range strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		value, err := getXattr(from, name)
		if err == nil {
			err = unix.Fsetxattr(fd, name, value, 0)
		}
		switch {
		case errors.Is(err, unix.ENODATA): // gone meanwhile
		case notGiven(err):
			warnings = append(warnings, fmt.Sprintf("the attribute %s could not be kept", name))
			if name == xattrACL {
				lost = errACLLost
			}
		case err != nil:
			return nil, &fs.PathError{Op: "setxattr", Path: from, Err: err}
		}
	}
	return warnings, lost
}

// listXattrs gives none where the file system, or the kernel, has no such thing.
func listXattrs(name string, buf []byte) ([]byte, error) {
	for {
		n, err := unix.Listxattr(fsys.Reach(name), buf)
		switch {
		case err == nil:
			return buf[:n], nil
		case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOENT):
			return nil, nil
		case !errors.Is(err, unix.ERANGE):
			return nil, &fs.PathError{Op: "listxattr", Path: name, Err: err}
		}
		buf = make([]byte, 2*len(buf))
	}
}

func getXattr(file, name string) ([]byte, error) {
	buf := make([]byte, 256)
	for {
		n, err := unix.Getxattr(fsys.Reach(file), name, buf)
		if !errors.Is(err, unix.ERANGE) {
			return buf[:max(n, 0)], err
		}
		buf = make([]byte, 4*len(buf))
	}
}

// sameGroup tells whether two files belong to one group.
func sameGroup(a, b fs.FileInfo) bool {
	return a.Sys().(*syscall.Stat_t).Gid == b.Sys().(*syscall.Stat_t).Gid
}

// sameOwner tells whether two files have one owner and one group.
func sameOwner(a, b fs.FileInfo) bool {
	return a.Sys().(*syscall.Stat_t).Uid == b.Sys().(*syscall.Stat_t).Uid && sameGroup(a, b)
}

// sameXattrs tells whether f has the very extended attributes that target has.
func sameXattrs(f fsys.File, target string) bool {
	var small, other [1024]byte
	names, err := listXattrs(target, small[:])
	if err != nil {
		return false
	}
	n, err := unix.Flistxattr(int(f.Fd()), other[:])
	if err != nil || !bytes.Equal(names, other[:n]) {
		return false
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if name == "" {
			continue
		}
		want, err := getXattr(target, name)
		if err != nil {
			return false
		}
		n, err := unix.Fgetxattr(int(f.Fd()), name, other[:])
		if err != nil || !bytes.Equal(want, other[:n]) {
			return false
		}
	}
	return true
}
