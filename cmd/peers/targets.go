package main

import (
	"fmt"
	"io"
)

// target is a bound for one figure.
type target struct {
	work  string
	what  string // what the figure is
	value func(*figures) (float64, bool)
	most  bool // the bound is the most it may be, else the least
	bound float64
}

// targets are what jtx is to reach. Absolute times are for the machine that README.md
// names.
func targets() []target {
	var all []target
	least := func(work, what string, value func(*figures) (float64, bool), bound float64) {
		all = append(all, target{work, what, value, false, bound})
	}
	most := func(work, what string, value func(*figures) (float64, bool), bound float64) {
		all = append(all, target{work, what, value, true, bound})
	}
	for _, size := range []string{"1KB", "100KB"} {
		most("a process sets a field, "+size, "× hello world", median("Process/set/"+size, "jtx", "hello"), 1.5)
		most("a process sets a field, "+size, "× sqlite3", median("Process/set/"+size, "jtx", "sqlite3"), 0.75)
	}
	most("a process sets a field, 5MB", "ms", of("Process/set/5MB", "jtx-p50-ms"), 12)
	least("one writer, 1KB, full", "× raw", raw("writer/1KB", "jtx-full"), 0.27)
	least("one writer, 1KB, journal", "× raw", raw("writer/1KB", "jtx-journal"), 0.37)
	for _, size := range []string{"1KB", "100KB", "5MB"} {
		row := "writer/" + size
		least("one writer, "+size+", full", "× renameio with the directory synced", beside(row, "jtx-full", "renameio-dirsync"), 1)
		for _, peer := range []string{"renameio", "natefinch"} {
			least("one writer, "+size+", journal", "× "+peer, beside(row, "jtx-journal", peer), 1)
		}
	}
	for _, size := range []string{"1KB", "100KB"} {
		least("one writer, "+size+", write-behind", "× raw", raw("writer/"+size, "jtx-write-behind"), 0.9)
	}
	least("one writer, 5MB, write-behind", "× copy and hash", of("Speed/writer/5MB/jtx-write-behind", "xcopy"), 0.7)
	for _, size := range []string{"1KB", "100KB", "5MB"} {
		least("one writer, "+size+", write-behind", "× SQLite (level: 0.9)", beside("writer/"+size, "jtx-write-behind", "sqlite"), 0.9)
		for _, peer := range []string{"bbolt", "pebble"} {
			least("one writer, "+size+", write-behind", "× "+peer, beside("writer/"+size, "jtx-write-behind", peer), 1)
		}
	}
	least("8 goroutines on one document, write-behind", "× raw", raw("one-document/8", "jtx-write-behind"), 4)
	least("64 goroutines on one document, write-behind", "× raw", raw("one-document/64", "jtx-write-behind"), 16)
	least("64 goroutines on one document, full", "× raw", raw("one-document/64", "jtx-full"), 8)
	least("64 goroutines on distinct documents, write-behind", "× raw", raw("distinct/64", "jtx-write-behind"), 2.5)
	for i, bound := range []float64{0.35, 0.28, 0.18} {
		n := fmt.Sprint(2 << i)
		least(n+" documents as a unit, write-behind", "× raw", raw("unit/"+n, "jtx-write-behind"), bound)
	}
	least("8 documents as a unit, full", "× raw", raw("unit/8", "jtx-full"), 0.07)
	for _, c := range []struct {
		n   string
		p99 float64
	}{{"5", 15}, {"16", 60}} {
		least(c.n+" processes add to one number", "× hello world", of("Process/counter/"+c.n, "xhello"), 0.65)
		most(c.n+" processes add to one number", "p99 in ms", of("Process/counter/"+c.n, "jtx-p99-ms"), c.p99)
	}
	for _, size := range []string{"1KB", "100KB", "5MB"} {
		most("read in process, "+size, "µs", of("Speed/read/"+size+"/jtx-full", "p50-µs"), 2)
	}
	most("a process reads a field, 1KB", "× hello world", median("Process/get/1KB", "jtx", "hello"), 1.1)
	most("a process reads a field, 5MB", "ms", of("Process/get/5MB", "jtx-p50-ms"), 8)
	most("100,000 commits", "× the time of a commit behind 100", of("Growth/100000", "xdrift"), 1.1)
	most("100,000 commits", "µs until the first answer", of("Growth/100000", "open-µs"), 400)
	most("100,000 commits", "bytes of history each", of("Growth/100000", "bytes/commit"), 500)
	most("a process sets a field, 5MB", "MB resident", of("Process/set/5MB", "rss-MB"), 40)
	most("a store over 1,000 files of 10KB", "MB resident", of("Memory", "rss-MB"), 200)
	least("16 processes and 64 goroutines at once", "whole, held and caught up", of("Crowd", "passed"), 1)
	return all
}

func of(benchmark, unit string) func(*figures) (float64, bool) {
	return func(f *figures) (float64, bool) { return f.get(benchmark, unit) }
}

func raw(row, system string) func(*figures) (float64, bool) {
	return of("Speed/"+row+"/"+system, "xraw")
}

// median is the median time of one program as a ratio to that of another, with which
// it took turns.
func median(benchmark, program, other string) func(*figures) (float64, bool) {
	return func(f *figures) (float64, bool) {
		a, ok := f.get(benchmark, program+"-p50-ms")
		b, ok2 := f.get(benchmark, other+"-p50-ms")
		return a / b, ok && ok2
	}
}

// beside is a system's rate as a ratio to a peer's, each measured against the disk
// of its own moment.
func beside(row, system, peer string) func(*figures) (float64, bool) {
	return func(f *figures) (float64, bool) {
		a, ok := raw(row, system)(f)
		b, ok2 := raw(row, peer)(f)
		return a / b, ok && ok2
	}
}

// met compares; what was not measured is missed.
func (t target) met(f *figures) bool {
	v, ok := t.value(f)
	return ok && (v == t.bound || (v < t.bound) == t.most)
}

// judge prints each target beside what was measured, and returns how many were
// missed.
func judge(w io.Writer, f *figures) (missed int, err error) {
	var t table
	t.header("work", "figure", "target", "measured", "")
	for _, target := range targets() {
		sign, verdict := "≥", "met"
		if target.most {
			sign = "≤"
		}
		if !target.met(f) {
			verdict = "**missed**"
			missed++
		}
		v, ok := target.value(f)
		t.row(target.work, target.what, fmt.Sprintf("%s %g", sign, target.bound), cell(v, ok), verdict)
	}
	_, err = fmt.Fprintf(w, "%s\n\n%s\n%d of %d missed\n", f.machine(), t.String(), missed, len(targets()))
	return missed, err
}
