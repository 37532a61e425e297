package wal

import (
	"iter"

	"github.com/jtx-project/jtx/wal/fsys"
)

func Scan(fsy fsys.FS, dir string, from LSN) iter.Seq2[*Record, error]        { panic("not yet") }
func ScanBack(fsy fsys.FS, dir string, from LSN) iter.Seq2[*Record, error]    { panic("not yet") }
func ReadRecord(fsy fsys.FS, dir string, lsn LSN) (*Record, error)            { panic("not yet") }
func Inspect(fsy fsys.FS, dir string) (Report, error)                         { panic("not yet") }
func JournalDir(fsy fsys.FS, dir string) (path string, gen uint32, err error) { panic("not yet") }

// Report is what Inspect found.
type Report struct {
	Dir      string
	Gen      uint32
	First    LSN
	Last     LSN
	Durable  LSN
	Records  int
	Segments int
	Bytes    int64
	Torn     bool
	Damage   []error
}
