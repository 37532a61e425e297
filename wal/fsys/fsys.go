// Package fsys is the file-system interface through which jtx does every
// operation whose order or failure matters to a promise.
//
// Production code uses [OS]. Tests wrap it to fail the k-th call ([Failing]) or
// to record what was synced and drop what was not (package crashfs). Names are
// ordinary operating-system paths and may hold any byte but NUL.
//
// Two things bypass the interface because libraries do them: tidwall/wal writes
// its segments itself, and gofrs/flock locks. The first is observed by crashfs
// in the mirrored directory; the second leaves no bytes that matter.
//
// # Below .jtx
//
// It may come from a stranger, in an archive or a repository. So wal/fsys (beneath_linux.go)
// follows no symbolic link from the component .jtx on, in any call: openat2 with
// RESOLVE_NO_SYMLINKS and RESOLVE_BENEATH, else one component after the other; what is opened
// must be a regular file or a directory, and is not waited for. flock and tidwall/wal, which
// want a path, get one of a descriptor (fsys.Beneath); the segment that tidwall/wal opens is
// looked at under the lock before.
//
// Nor is memory taken for what a file there claims: a compressed segment says how much it
// holds, at most 256 times its own size beyond 4 MB (wal.pack pads what compresses better), and
// is unpacked no further; segments, open transactions, settings and kept paths are read only up
// to the size that jtx can have written. A document beyond Limits.MaxBytes is not read.
//
// # Where a call is missing
//
// wal/fsys does without a call that is refused (fsys.Refused: ENOSYS, EINVAL, EOPNOTSUPP,
// EPERM), as file systems behind FUSE, on a network, or in a sandbox do. jtx selftest lists
// what a directory needs (fsys.Needs).
//
//   - renameat2: no replacing: a hard link, then the old name goes; without hard links a look,
//     then a rename: what another program makes of a new name in between is lost
//   - renameat2: exchange: a rename: what another program saves in the instant before it is
//     lost
//   - fsync of a directory: syncfs; where that is refused too, nothing: full promises a plain
//     reader no more than journal does
//   - fdatasync: fsync
//   - modes: accepted where no more is given than was meant, or the mount gives all files one
//     mode
//   - extended attributes: a warning; where an ACL may be lost, the group is everybody else
//   - leases, io_submit, statx, sync_file_range, openat2, pidfd_open, inotify: no spares;
//     system calls in a row; EBUSY at the rename; nothing; one directory after the other; a
//     look now and then
//   - link, of a journal's old segments in a new generation: they are copied
//   - flock: nothing: the change is refused (7), no .jtx is made
//
// Whether a file may be replaced is asked of the kernel before anything is written
// (recovery.mayReplace; a file that is overwritten is opened then): an immutable or append-only
// file, a read-only mount, another user's file in a sticky directory is exit 7, with nothing
// changed, in every verb.
package fsys

import (
	"io"
	"io/fs"
)

// File is an open file or directory.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Name is the name given to OpenFile.
	Name() string
	Stat() (fs.FileInfo, error)
	// Truncate changes the size, in bytes. It does not move the offset.
	Truncate(size int64) error
	// Sync is fsync(2). On a directory it makes its entries durable. After it
	// has failed once nothing written through any handle to this file may be
	// believed, and it must not be retried.
	Sync() error
	// Datasync is fdatasync(2): the data, and the metadata needed to read it
	// back (the size), but not times.
	Datasync() error
	Chmod(mode fs.FileMode) error
	Chown(uid, gid int) error
	// Fd is the descriptor, for system calls that leave the content alone.
	Fd() uintptr
}

// FS is a file system. Errors are those of package os: *fs.PathError or
// *os.LinkError around a syscall.Errno, so that errors.Is works.
type FS interface {
	// OpenFile is os.OpenFile. O_NONBLOCK and O_NOFOLLOW may be given.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Mkdir makes one directory. The mode is subject to the umask.
	Mkdir(name string, perm fs.FileMode) error
	// Rename replaces newname.
	Rename(oldname, newname string) error
	// RenameNoReplace fails with fs.ErrExist where newname exists.
	RenameNoReplace(oldname, newname string) error
	// Exchange swaps two existing names in one step (renameat2 with
	// RENAME_EXCHANGE). It fails with errors.ErrUnsupported where the kernel or
	// the file system has no such call.
	Exchange(a, b string) error
	// Link gives a regular file a second name; fs.ErrExist where there is one.
	Link(oldname, newname string) error
	Remove(name string) error
	Stat(name string) (fs.FileInfo, error)
	Lstat(name string) (fs.FileInfo, error)
	// StatID and LstatID are FileIDOf what Stat and Lstat return, for those who
	// look often: no FileInfo is made.
	StatID(name string) (FileID, error)
	LstatID(name string) (FileID, error)
	// Identify tells an open file from every other one.
	Identify(f File) (Identity, error)
	Readlink(name string) (string, error)
	// ReadDir lists a directory by name, sorted by bytes.
	ReadDir(name string) ([]fs.DirEntry, error)
}
