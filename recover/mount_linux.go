package recovery

import (
	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/wal/fsys"
)

// MountPoint tells whether something is mounted at name, as a file often is in a
// container. Where the kernel can't say, the rename over it will.
func MountPoint(name string) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, fsys.Reach(name), unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, 0, &st)
	return err == nil && st.Attributes_mask&st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}
