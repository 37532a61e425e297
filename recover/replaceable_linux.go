package recovery

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/wal/fsys"
)

// mayReplace fails where the caller may not rename over a file, nor remove it, however
// it could write beside it: in a directory that is read-only or sticky, an immutable
// file. No mode tells all that. The kernel does, without doing anything: asked to
// remove a directory of that name, it looks for the same right first, and then finds
// that there is none.
func mayReplace(target string) error {
	err := unix.Rmdir(fsys.Reach(target))
	for _, refusal := range []error{unix.EACCES, unix.EPERM, unix.EROFS} {
		if errors.Is(err, refusal) {
			return &fs.PathError{Op: "replace", Path: target, Err: err}
		}
	}
	return nil // whatever else there is, the replacement meets it
}

// mayAdd fails where a name can be made in a directory, but not be changed afterwards.
func mayAdd(dir string) error {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, fsys.Reach(dir), 0, 0, &st)
	if err == nil && st.Attributes_mask&st.Attributes&unix.STATX_ATTR_APPEND != 0 {
		return &fs.PathError{Op: "rename in", Path: dir, Err: unix.EPERM}
	}
	return nil
}

// HasOneName asks the file system itself. Behind FUSE, or on a network, what stat(2)
// tells of a file that was a hard link for a moment may be a second old.
func HasOneName(target string) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, fsys.Reach(target), unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_FORCE_SYNC, unix.STATX_NLINK, &st)
	return err == nil && st.Mask&unix.STATX_NLINK != 0 && st.Nlink == 1
}
