package speed

import (
	"errors"
	"testing"
	"time"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// slice is how long a yardstick is measured before and after the work: enough for
// some hundred syncs.
const slice = 150 * time.Millisecond

// Bench does a row with a system. Beside the time of an operation it reports
//
//   - xraw: its rate, as a ratio to that of the bare disk;
//   - xcopy: the same to copying and hashing the document in memory, where that is
//     large;
//   - fsyncs/op, where they are counted;
//   - p50-µs and p99-µs.
//
// The rate counts the time until nothing is behind.
func Bench(b *testing.B, r Row, s System) {
	dir := b.TempDir()
	raw, err := measure.OpenRawDisk(dir)
	must(b, err)
	defer raw.Close()
	doc := measure.Document(r.Size, 0)
	yards := map[string]*measure.Yardstick{"xraw": &raw.Yardstick}
	if r.Size == measure.Large {
		yards["xcopy"] = copying(doc)
	}
	syncs := &measure.Syncs{FS: fsys.OS}
	docs, err := s.Open(dir, syncs, doc, r.Copies)
	must(b, err)
	op := r.op(docs)
	for w := range r.Workers { // what is made at the first use is not the work
		must(b, op(w))
	}
	must(b, docs.Flush())
	before := syncs.Count()
	run(b, yards)
	b.ReportAllocs()
	start := time.Now()
	times, err := measure.Work(r.Workers, b.Loop, op)
	must(b, err)
	must(b, docs.Flush())
	took := time.Since(start)
	run(b, yards)
	must(b, r.check(docs, len(times)+r.Workers))
	if s.Syncs && !r.Read {
		b.ReportMetric(float64(syncs.Count()-before)/float64(len(times)), "fsyncs/op")
	}
	must(b, docs.Close())
	for name, y := range yards {
		b.ReportMetric(measure.Rate(len(times), took)/y.Rate(), name)
	}
	b.ReportMetric(micros(times.Quantile(0.5)), "p50-µs")
	b.ReportMetric(micros(times.Quantile(0.99)), "p99-µs")
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func run(b *testing.B, yards map[string]*measure.Yardstick) {
	for _, y := range yards {
		must(b, y.Run(slice))
	}
}

// copying is the least that memory has to do for a new version of a document.
func copying(doc []byte) *measure.Yardstick {
	to := make([]byte, len(doc))
	return &measure.Yardstick{Work: func() error {
		copy(to, doc)
		if wal.Sum(to) == (wal.Hash{}) {
			return errors.New("the hash of a document is 0")
		}
		return nil
	}}
}
