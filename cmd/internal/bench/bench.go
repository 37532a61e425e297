// Package bench measures jtx in a directory of the user's own, beside what the bare
// disk does there and beside the programs that people keep JSON with in scripts.
package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/jtx-project/jtx/cmd/internal/selftest"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// DefaultTime is how long each row is measured if Options says nothing.
const DefaultTime = 750 * time.Millisecond

// Options of a run.
type Options struct {
	Dir string // in which the files are made, and removed again
	// Program is jtx, Arg0 by what name it is to be called.
	Program, Arg0 string
	// Time is how long each row is measured.
	Time time.Duration
	// Progress is called after each step. May be nil.
	Progress func(done, total int, name string)
}

// Row is what was measured of one kind of work.
type Row struct {
	Work, With string
	PerSecond  float64
	P50, P99   time.Duration
	XRaw       float64  // PerSecond as a ratio to the bare disk's; 0 where that says nothing
	XStart     float64  // the same to that of starting jtx; 0 where no process is started
	Syncs      *float64 // fsyncs of one change, nil where nobody knows
}

// Report is what was measured.
type Report struct {
	Dir, FS string
	CPUs    int
	Rows    []Row
}

// run is one run of all rows.
type run struct {
	Options
	ctx  context.Context
	work string // the directory that is removed at the end
}

// step measures some rows in an empty directory.
type step struct {
	name string
	do   func(r *run, dir string) ([]Row, error)
}

// Run measures all rows. Nothing is left in the directory.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	r := &run{Options: o, ctx: ctx}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return Report{}, err
	}
	if r.work, err = os.MkdirTemp(dir, ".jtx-bench-"); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.work)) }()
	report := Report{Dir: o.Dir, FS: selftest.FileSystem(r.work), CPUs: runtime.NumCPU()}
	steps := steps()
	for i, s := range steps {
		rows, err := r.step(s)
		if ctx.Err() != nil {
			return report, context.Cause(ctx)
		}
		if err != nil {
			return report, err
		}
		report.Rows = append(report.Rows, rows...)
		if o.Progress != nil {
			o.Progress(i+1, len(steps), s.name)
		}
	}
	return report, nil
}

// step gives each step a workspace of its own, so that none that covers the user's
// directory hears of the files, and so that its journals go with it.
func (r *run) step(s step) (rows []Row, err error) {
	dir, err := os.MkdirTemp(r.work, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := txn.Open(dir, txn.Options{})
	if err != nil {
		return nil, err
	}
	_, _, err = store.Init(r.ctx, dir)
	if err = errors.Join(err, store.Close()); err != nil {
		return nil, err
	}
	return s.do(r, dir)
}

// shown are the rows that users are shown.
var shown = []string{"writer/1KB", "writer/100KB", "writer/5MB", "one-document/64", "distinct/64", "unit/8", "read/1KB"}

// steps are in the order in which the report has their rows.
func steps() []step {
	all := []step{{"disk", (*run).disk}}
	for _, row := range speed.Rows() {
		if !slices.Contains(shown, row.Name) {
			continue
		}
		for i, system := range speed.JTX() {
			if row.Read && i > 0 {
				continue // reading knows no levels
			}
			all = append(all, step{row.Title, func(r *run, dir string) ([]Row, error) { return r.store(row, system, dir) }})
		}
	}
	for _, race := range Races() {
		all = append(all, step{race.Title, func(r *run, dir string) ([]Row, error) { return r.race(race, dir) }})
	}
	return all
}

// disk is the yardstick as a row.
func (r *run) disk(dir string) ([]Row, error) {
	raw, err := measure.OpenRawDisk(dir)
	if err != nil {
		return nil, err
	}
	times, err := measure.Work(1, measure.Until(r.Time), func(int) error { return errors.Join(context.Cause(r.ctx), raw.Work()) })
	if err = errors.Join(err, raw.Close()); err != nil {
		return nil, err
	}
	row := rowOf("append 100 bytes, fdatasync", "the bare disk", times, sum(times))
	row.XRaw, row.Syncs = 1, new(1.0)
	return []Row{row}, nil
}

func sum(times measure.Times) (d time.Duration) {
	for _, t := range times {
		d += t
	}
	return d
}

func rowOf(work, with string, times measure.Times, took time.Duration) Row {
	return Row{Work: work, With: with, PerSecond: measure.Rate(len(times), took), P50: times.Quantile(0.5), P99: times.Quantile(0.99)}
}

// store is a row in this process, with a store that is kept open.
func (r *run) store(row speed.Row, system speed.System, dir string) ([]Row, error) {
	res, err := speed.Measure(r.ctx, row, system, dir, measure.Until(r.Time))
	if err != nil {
		return nil, err
	}
	out := Row{Work: row.Title, With: system.Name, PerSecond: res.Rate, P50: res.Times.Quantile(0.5), P99: res.Times.Quantile(0.99), XRaw: res.XRaw}
	if res.Syncs >= 0 {
		out.Syncs = &res.Syncs
	}
	return []Row{out}, nil
}

// syncsOf counts the fsyncs of one change by a process that does nothing else, by
// doing in this one what such a process does.
func syncsOf(ctx context.Context, dir string) (*float64, error) {
	const times = 10
	counted := &measure.Syncs{FS: fsys.OS}
	for i := range times {
		s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{FS: counted}))
		if err != nil {
			return nil, err
		}
		_, err = s.Do(ctx, []string{document}, func(tx *txn.Tx) error { return tx.Set(document, "/n", -i) })
		if err = errors.Join(err, s.Close()); err != nil {
			return nil, err
		}
	}
	return new(float64(counted.Count()) / times), nil
}
