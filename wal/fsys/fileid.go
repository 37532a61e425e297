package fsys

import "io/fs"

// FileID tells whether a file on disk is still the one that was written: a
// replacement changes Ino, a write in place Size, Mtime or Ctime. The zero
// FileID is a file that doesn't exist. Times are in ns since 1970.
type FileID struct {
	Dev, Ino     uint64
	Size         int64
	Mtime, Ctime int64
}

// FileIDOf reads the identity out of what Stat returned. Nil gives the zero FileID.
func FileIDOf(info fs.FileInfo) FileID {
	if info == nil {
		return FileID{}
	}
	return fileIDOf(info)
}

// plainFileID is all that can be known without the system's own structure. It
// misses a replacement that keeps size and time.
func plainFileID(info fs.FileInfo) FileID {
	return FileID{Size: info.Size(), Mtime: info.ModTime().UnixNano()}
}
