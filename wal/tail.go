package wal

import (
	"os"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Tail reads the last record of dir's journal where s, which is its state, says that
// it is. It is nil where the journal does not end there with that very record: it has
// grown, was cut or replaced, or s does not say. It takes no lock, and reads nothing
// else.
func Tail(fsy fsys.FS, dir string, s State) (*Record, error) {
	if !s.namesTail() {
		return nil, nil
	}
	journal, gen, err := JournalDir(fsy, dir)
	if err != nil || gen != s.Gen {
		return nil, err // what is left of the former generation ends there, not the journal
	}
	return tailIn(fsy, journal, s)
}

// namesTail tells that the state says where the last record is.
func (s *State) namesTail() bool {
	return s.LastSize > 0 && s.LastSize <= s.Offset && s.Last >= s.Segment
}

// TailNow is Tail for a state of this boot, which knows the journal's directory.
func TailNow(fsy fsys.FS, dir string, s State) (*Record, error) {
	if !s.namesTail() {
		return nil, nil
	}
	return tailIn(orOS(fsy), journalDir(dir, s.Gen), s)
}

func tailIn(fsy fsys.FS, journal string, s State) (*Record, error) {
	f, err := fsy.OpenFile(segmentPath(journal, s.Group, s.Segment), os.O_RDONLY|careful, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != s.Offset {
		return nil, err
	}
	return s.lastIn(f), nil
}

// lastIn reads the last record from its segment, nil where something else is there.
func (s *State) lastIn(segment fsys.File) *Record {
	buf := make([]byte, s.LastSize)
	if _, err := segment.ReadAt(buf, s.Offset-s.LastSize); err != nil {
		return nil
	}
	rec, size, err := nextEntry(buf)
	if err != nil || size != s.LastSize || rec.LSN != s.Last || rec.CRC != s.CRC {
		return nil
	}
	return rec
}
