// Package speed is the work by which jtx and other stores are compared, each row of
// it written once: the benchmarks of txn do it with jtx, those of the module
// cmd/peers with SQLite, bbolt and others besides.
package speed

import (
	"context"
	"fmt"
	"slices"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// System is a kind of store.
type System struct {
	Name string
	// Open makes a store in a directory with copies of one document, numbered from 0.
	Open func(dir string, fs fsys.FS, doc []byte, copies int) (Documents, error)
	// Counted tells that the store does its fsyncs through the file system that it
	// was opened with.
	Counted bool
}

// Documents is an open store. Add and Get are called by many goroutines at once.
type Documents interface {
	// Add adds 1 to the number "n" of each of the documents, as one transaction. No
	// addition may be lost.
	Add(docs ...int) error
	// Get is the number of a document.
	Get(doc int) (int, error)
	// Flush completes what the store does behind its acknowledgements.
	Flush() error
	Close() error
}

// Row is one kind of work: workers that add to numbers, or read them.
type Row struct {
	Name    string // as benchmarks are named
	Title   string // for people
	Size    int    // of each document, in bytes
	Copies  int    // documents in the store
	Workers int
	Unit    int  // documents in each transaction
	Read    bool // instead of adding
}

// Rows are all of them.
func Rows() []Row {
	return slices.Concat(bySize("writer", "one writer, %s", false), []Row{
		{"one-document/8", "8 goroutines on one document", measure.Small, 1, 8, 1, false},
		{"one-document/64", "64 goroutines on one document", measure.Small, 1, 64, 1, false},
		{"distinct/64", "64 goroutines on 64 documents", measure.Small, 64, 64, 1, false},
		{"unit/2", "2 documents as a unit", measure.Small, 2, 1, 2, false},
		{"unit/4", "4 documents as a unit", measure.Small, 4, 1, 4, false},
		{"unit/8", "8 documents as a unit", measure.Small, 8, 1, 8, false},
	}, bySize("read", "read, %s", true))
}

func bySize(name, title string, read bool) (rows []Row) {
	for _, size := range []int{measure.Small, measure.Middle, measure.Large} {
		rows = append(rows, Row{name + "/" + measure.SizeName(size), fmt.Sprintf(title, measure.SizeName(size)), size, 1, 1, 1, read})
	}
	return rows
}

// docs are the documents that a worker works on.
func (r Row) docs(worker int) []int {
	docs := make([]int, r.Unit)
	for i := range docs {
		docs[i] = (worker*r.Unit + i) % r.Copies
	}
	return docs
}

// op is one operation of the row.
func (r Row) op(ctx context.Context, d Documents) func(worker int) error {
	docs := make([][]int, r.Workers)
	for w := range docs {
		docs[w] = r.docs(w)
	}
	return func(worker int) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if r.Read {
			_, err := d.Get(docs[worker][0])
			return err
		}
		return d.Add(docs[worker]...)
	}
}

// check finds what was lost when n operations were done.
func (r Row) check(d Documents, n int) error {
	if r.Read {
		return nil
	}
	sum := 0
	for doc := range r.Copies {
		v, err := d.Get(doc)
		if err != nil {
			return err
		}
		sum += v
	}
	if sum != n*r.Unit {
		return fmt.Errorf("%d documents add up to %d after %d transactions over %d", r.Copies, sum, n, r.Unit)
	}
	return nil
}
