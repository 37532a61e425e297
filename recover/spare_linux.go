package recovery

import (
	"io/fs"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/wal/fsys"
)

// localFS are file systems of one machine, where a lease tells of everybody who has
// the file open.
var localFS = []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.TMPFS_MAGIC}

func leasesHold(f fsys.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && slices.Contains(localFS, int64(st.Type))
}

func hasOneName(info fs.FileInfo) bool { return info.Sys().(*syscall.Stat_t).Nlink == 1 }
