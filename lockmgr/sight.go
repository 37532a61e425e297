package lockmgr

import (
	"os"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

// textSize is the length of a lock file that has a holder's text. A longer one
// says that somebody waits (see gate).
const textSize = 512

// sight is what a holder sees when it looks at its lock file again, after it
// has got the lock.
type sight struct {
	// same says that the path still names the inode that was locked. If it
	// doesn't, somebody has removed or replaced the file or its directory, and
	// others lock another inode.
	same bool
	// awaited says that somebody stands at the gate.
	awaited bool
	// text is open where the holder may leave its text.
	text textFile
}

// look finds out whether fl still locks the file that r names.
func look(fl *flock.Flock, r *Request) sight {
	locked, err := fl.Stat()
	if err != nil {
		return sight{text: noTextFile}
	}
	if r.Mode == Exclusive && !r.NoHolder {
		if s, ok := lookAndOpen(locked, r.Path); ok {
			return s
		}
	}
	s := sight{text: noTextFile}
	if now, err := fsys.OS.Lstat(r.Path); err == nil {
		s.same, s.awaited = os.SameFile(locked, now), now.Size() > textSize
	}
	return s
}

// stamp leaves the holder's text where there is a file for it, and closes that.
// A failure is nobody's loss: the text is for people only.
func (s *sight) stamp(r *Request) {
	if s.text != noTextFile {
		s.text.write(holderText(r.Mode))
	}
	s.close()
}

func (s *sight) close() {
	if s.text != noTextFile {
		s.text.close()
	}
	s.text = noTextFile
}
