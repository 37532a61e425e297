package lockmgr

import (
	"os"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

const (
	// textSize is the length of the holder's text, at the start of a lock file.
	textSize = 512
	// FileSize is the least length of a lock file, in bytes. What is behind the first
	// 512 belongs to whoever holds the lock: this package leaves it as it is. A longer
	// file says that somebody waits (see gate).
	FileSize = 1024
)

// sight is what a holder sees when it looks at its lock file again, after it
// has got the lock.
type sight struct {
	// same says that the path still names the inode that was locked, and that this is
	// a regular file. If it doesn't, somebody has removed or replaced the file or its
	// directory, and others lock another inode.
	same bool
	// awaited says that somebody stands at the gate.
	awaited bool
}

// look finds out whether fl still locks the file that r names.
func look(fl *flock.Flock, r *Request) sight {
	locked, err := fl.Stat()
	if err != nil {
		return sight{}
	}
	now, err := fsys.OS.Lstat(r.Path)
	if err != nil {
		return sight{}
	}
	return sight{same: os.SameFile(locked, now) && now.Mode().IsRegular(), awaited: now.Size() > FileSize}
}
