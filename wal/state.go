package wal

import "github.com/jtx-project/jtx/wal/fsys"

// State is what hashes can't say: see the package documentation.
type State struct {
	Boot    [16]byte // the boot it was written in
	Pending bool     // a commit is in progress, or was cut short
	InPlace bool     // and it writes over the file's own bytes
	Gen     uint32   // the journal's directory: 0 is "wal", N is "wal.N"
	Last    LSN      // the last record
	Durable LSN      // every record up to it is durable
	Applied LSN      // the last record whose result was in the file
	Rev     uint64   // of the last record
	Group   LSN      // the tail segment's sub-directory, 0 is none
	Segment LSN      // the tail segment
	Offset  int64    // its size after the last record, in bytes
	CRC     uint32   // of the last record
	Image   LSN      // the newest record with an image that was not aborted
	// SinceImage is the size of the entries behind Image, in bytes.
	SinceImage int64
	File       FileID  // what the applied record left
	Content    Version // and its bytes
	Written    int64   // when this state was written, in ns since 1970
}

// ReadState reads dir's state. A missing or torn one is (zero, false, nil).
func ReadState(fsy fsys.FS, dir string) (State, bool, error) { panic("not yet") }
