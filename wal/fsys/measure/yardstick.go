// Package measure is what benchmarks share. A time says little on a machine that
// does other things too; a ratio to a yardstick that was measured in between says
// much. The yardstick of commits is the bare disk: append 100 bytes, fdatasync.
package measure

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Yardstick is work whose rate others are compared with. It is done for a while
// before and after what is measured, or in between.
type Yardstick struct {
	Work  func() error
	times int
	spent time.Duration
}

// Run does the work for d, at least once.
func (y *Yardstick) Run(d time.Duration) error {
	start := time.Now()
	for {
		if err := y.Work(); err != nil {
			return err
		}
		y.times++
		if took := time.Since(start); took >= d {
			y.spent += took
			return nil
		}
	}
}

// Rate is how often a second the work was done, in all runs together; 0 before
// the first.
func (y *Yardstick) Rate() float64 { return Rate(y.times, y.spent) }

// Rate is n in took, a second; 0 where took is.
func Rate(n int, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}

// RawDisk is the yardstick of a disk.
type RawDisk struct {
	Yardstick
	file fsys.File
}

// OpenRawDisk makes the file that is appended to. Close removes it.
func OpenRawDisk(dir string) (*RawDisk, error) {
	f, err := fsys.OS.OpenFile(filepath.Join(dir, "raw-disk"), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	line := append(bytes.Repeat([]byte("."), 99), '\n')
	work := func() error {
		if _, err := f.Write(line); err != nil {
			return err
		}
		return f.Datasync()
	}
	return &RawDisk{Yardstick{Work: work}, f}, nil
}

// Close removes the file.
func (r *RawDisk) Close() error {
	return errors.Join(r.file.Close(), os.Remove(r.file.Name()))
}
