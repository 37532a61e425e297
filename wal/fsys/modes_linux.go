package fsys

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// modelessFS are file systems whose files may all have the mode that the mount gives
// them: the user's file, and its directory, no other one than what jtx makes.
var modelessFS = []uint32{unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC, ntfs3Magic, unix.FUSE_SUPER_MAGIC,
	unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.V9FS_MAGIC}

const ntfs3Magic = 0x7366746e // fs/ntfs3/super.c

func modeless(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && slices.Contains(modelessFS, uint32(st.Type))
}
