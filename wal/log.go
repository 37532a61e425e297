package wal

import (
	"io/fs"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Options of Open. The zero value serves.
type Options struct {
	FS fsys.FS // fsys.OS if nil
	// SegmentSize is where a segment is full, in bytes; 0 is DefaultSegmentSize.
	SegmentSize int
	// DirPerm and FilePerm are given exactly, whatever the umask, setgid included.
	DirPerm, FilePerm fs.FileMode
	// Boot is BootID() if zero.
	Boot [16]byte
	// DirChain are the directories whose entries must be synced, too, when the
	// journal's first record is made durable: the parents up to the workspace.
	DirChain []string
}

// DefaultSegmentSize is where a segment is full.
const DefaultSegmentSize = 64 << 10

// CutReport says what Open cut off as a torn tail.
type CutReport struct {
	Path   string // the segment
	Offset int64  // where it ends now, in bytes
	Bytes  int64  // how much was cut
	First  LSN    // the first record that was cut, or would have been there
}

// Log is one file's journal, open for appending.
type Log struct{}

// Open opens the journal in dir.
func Open(dir string, opt Options) (*Log, error) { panic("not yet") }

func (l *Log) State() State                                           { panic("not yet") }
func (l *Log) Trusted() bool                                          { panic("not yet") }
func (l *Log) Known() bool                                            { panic("not yet") }
func (l *Log) Cut() CutReport                                         { panic("not yet") }
func (l *Log) Empty() bool                                            { panic("not yet") }
func (l *Log) Read(lsn LSN) (*Record, error)                          { panic("not yet") }
func (l *Log) MarkPending() error                                     { panic("not yet") }
func (l *Log) Append(recs ...*Record) error                           { panic("not yet") }
func (l *Log) Sync() error                                            { panic("not yet") }
func (l *Log) SetState(set func(*State)) error                        { panic("not yet") }
func (l *Log) Reopen() error                                          { panic("not yet") }
func (l *Log) Secure() error                                          { panic("not yet") }
func (l *Log) Refresh() error                                         { panic("not yet") }
func (l *Log) Close() error                                           { panic("not yet") }
func (l *Log) Settle(applied LSN, file FileID, content Version) error { panic("not yet") }
