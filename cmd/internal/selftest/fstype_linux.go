package selftest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// types are file systems by the magic number in statfs(2).
var types = map[uint32]fsType{
	unix.EXT4_SUPER_MAGIC:      {name: "ext4"}, // and ext2, ext3
	unix.XFS_SUPER_MAGIC:       {name: "xfs"},
	unix.BTRFS_SUPER_MAGIC:     {name: "btrfs"},
	unix.F2FS_SUPER_MAGIC:      {name: "f2fs"},
	0x2fc12fc1:                 {name: "zfs"},
	0xca451a4e:                 {name: "bcachefs"},
	0x7366746e:                 {name: "ntfs"},
	unix.ECRYPTFS_SUPER_MAGIC:  {name: "ecryptfs"},
	unix.MSDOS_SUPER_MAGIC:     {name: "vfat", limit: limitFAT},
	unix.EXFAT_SUPER_MAGIC:     {name: "exfat", limit: limitFAT},
	unix.TMPFS_MAGIC:           {name: "tmpfs", limit: limitMemory, memory: true},
	unix.RAMFS_MAGIC:           {name: "ramfs", limit: limitMemory, memory: true},
	unix.OVERLAYFS_SUPER_MAGIC: {name: "overlay", limit: limitOverlay},
	unix.FUSE_SUPER_MAGIC:      {name: "fuse", limit: limitFuse},
	unix.NFS_SUPER_MAGIC:       {name: "nfs", limit: limitNetwork},
	unix.SMB_SUPER_MAGIC:       {name: "smb", limit: limitNetwork},
	unix.SMB2_SUPER_MAGIC:      {name: "smb2", limit: limitNetwork},
	unix.CIFS_SUPER_MAGIC:      {name: "cifs", limit: limitNetwork},
	unix.V9FS_MAGIC:            {name: "9p", limit: limitNetwork},
	unix.AFS_SUPER_MAGIC:       {name: "afs", limit: limitNetwork},
	unix.CEPH_SUPER_MAGIC:      {name: "ceph", limit: limitNetwork},
	0x0bd00bd0:                 {name: "lustre", limit: limitNetwork},
	0x47504653:                 {name: "gpfs", limit: limitNetwork},
}

func typeOf(dir string) fsType {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fsType{name: "unknown"}
	}
	if t, ok := types[uint32(st.Type)]; ok {
		return t
	}
	return fsType{name: fmt.Sprintf("unknown (%#x)", uint32(st.Type))}
}
