// Package evidence collects what the crash tests have tried, so that one command
// can show it:
//
//	go run ./fuzz/evidence/table
package evidence

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// File is the environment variable that names the file to which tests add their
// rows. Where it is not set nothing is written.
const File = "JTX_EVIDENCE"

// Row is what one test has tried.
type Row struct {
	Kind       string // rows of one kind become one row of the table
	Unit       string // what was tried: states, runs, …
	Tried      int
	Checked    int // acknowledged transactions that were looked for
	Violations int
	Seed       uint64 // 0 where nothing was drawn
	Time       time.Duration

	// Wrong names the deliberate fault that was to be caught, First what was
	// seen of it first.
	Wrong string
	First string
}

// Start begins a row, which is written when the test ends. A test that is skipped
// has none.
func Start(tb testing.TB, kind, unit string) *Row {
	r, began := &Row{Kind: kind, Unit: unit}, time.Now()
	tb.Cleanup(func() {
		if tb.Skipped() {
			return
		}
		if tb.Failed() && r.Wrong == "" {
			r.Violations = max(r.Violations, 1)
		}
		r.Time = time.Since(began)
		if err := r.write(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// Caught is the row's report of a deliberate fault.
func (r *Row) Caught(violations int, first string) {
	r.Violations, r.First = violations, first
}

// write appends one line in one write: tests of several processes share the file.
func (r *Row) write() error {
	name := os.Getenv(File)
	if name == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		_ = f.Close() // the first error tells more
		return err
	}
	return f.Close()
}
