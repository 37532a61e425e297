package speed

import (
	"context"
	"errors"
	"time"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// The work is done in parts, and the yardsticks are measured before the first and
// after each, for a share of the part's time: others use the machine too. At the end
// of a part the last workers finish and the store is flushed; a part is as long as
// makes that little of it, but no longer than files may lag.
const (
	share    = 2
	least    = 5 * time.Millisecond
	shortest = 100 * time.Millisecond
	lag      = time.Second
)

func partFor(end time.Duration) time.Duration { return min(max(20*end, shortest), lag) }

// Result is what a row came to.
type Result struct {
	Times measure.Times // of each operation
	Rate  float64       // operations a second, until nothing was behind
	XRaw  float64       // Rate as a ratio to the bare disk's
	XCopy float64       // the same to copying and hashing the document in memory; 0 where it is not large
	Syncs float64       // fsyncs of an operation; -1 where they are not counted
}

// Metrics are the result as a benchmark reports it, by unit.
func (r Result) Metrics() map[string]float64 {
	all := map[string]float64{"ns/op": 1e9 / r.Rate, "xraw": r.XRaw, "p50-µs": micros(r.Times.Quantile(0.5)), "p99-µs": micros(r.Times.Quantile(0.99))}
	if r.XCopy > 0 {
		all["xcopy"] = r.XCopy
	}
	if r.Syncs >= 0 {
		all["fsyncs/op"] = r.Syncs
	}
	return all
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// run is one row done with one system.
type run struct {
	Row
	System
	docs  Documents
	syncs *measure.Syncs
	raw   *measure.RawDisk
	copy  *measure.Yardstick // nil where the document is not large
	end   time.Duration      // what that of the last part took
}

// Measure does a row with a system in an empty directory, as often as more says. It
// fails where an addition was lost.
func Measure(ctx context.Context, r Row, s System, dir string, more func() bool) (_ Result, err error) {
	m := &run{Row: r, System: s, syncs: &measure.Syncs{FS: fsys.OS}}
	doc := measure.Document(r.Size, 0)
	if r.Size == measure.Large {
		m.copy = copying(doc)
	}
	if m.raw, err = measure.OpenRawDisk(dir); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, m.raw.Close()) }()
	if m.docs, err = s.Open(dir, m.syncs, doc, r.Copies); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, m.docs.Close()) }()
	return m.measured(ctx, more)
}

func (m *run) measured(ctx context.Context, more func() bool) (Result, error) {
	op := m.op(ctx, m.docs)
	if m.Read { // a document that was changed before, as most were
		if err := m.docs.Add(0); err != nil {
			return Result{}, err
		}
	}
	for w := range m.Workers { // what is made at the first use is not the work
		if err := op(w); err != nil {
			return Result{}, err
		}
	}
	start := time.Now()
	if err := m.docs.Flush(); err != nil {
		return Result{}, err
	}
	m.end = time.Since(start)
	if err := m.yardsticks(least); err != nil {
		return Result{}, err
	}
	before := m.syncs.Count()
	times, took, err := m.work(more, op)
	syncs := m.syncs.Count() - before
	if err = errors.Join(err, m.check(m.docs, len(times)+m.Workers)); err != nil {
		return Result{}, err
	}
	out := Result{Times: times, Rate: measure.Rate(len(times), took), Syncs: -1}
	out.XRaw = out.Rate / m.raw.Rate()
	if m.copy != nil {
		out.XCopy = out.Rate / m.copy.Rate()
	}
	if m.Counted && !m.Read {
		out.Syncs = float64(syncs) / float64(len(times))
	}
	return out, nil
}

// work does the operations in parts, each until nothing is behind, with the
// yardsticks in between.
func (m *run) work(more func() bool, op func(worker int) error) (all measure.Times, took time.Duration, err error) {
	for going := true; going; {
		brief := measure.Until(partFor(m.end))
		start := time.Now()
		var last time.Time
		times, err := measure.Work(m.Workers, func() bool {
			last = time.Now()
			if !brief() {
				return false
			}
			going = more()
			return going
		}, op)
		err = errors.Join(err, m.docs.Flush())
		m.end = time.Since(last)
		spent := time.Since(start)
		took += spent
		if err = errors.Join(err, m.yardsticks(max(least, spent/share))); err != nil {
			return nil, 0, err
		}
		all = append(all, times...)
	}
	return all, took, nil
}

func (m *run) yardsticks(d time.Duration) error {
	err := m.raw.Run(d)
	if m.copy != nil {
		err = errors.Join(err, m.copy.Run(d))
	}
	return err
}

// copying is the least that memory has to do for a new version of a document.
func copying(doc []byte) *measure.Yardstick {
	to := make([]byte, len(doc))
	return &measure.Yardstick{Work: func() error {
		copy(to, doc)
		if wal.Sum(to) == (wal.Hash{}) {
			return errors.New("the hash of a document is zero")
		}
		return nil
	}}
}
