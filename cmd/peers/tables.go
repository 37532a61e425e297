package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jtx-project/jtx/txn/speed"
)

// columns are the systems in the README's table. Where one can be used in two ways
// its column has the better of them in each row.
var columns = []struct {
	title   string
	systems []string
	parts   bool // of several documents a crash may leave some changed
}{
	{"jtx", []string{"jtx-full"}, false},
	{"jtx, write-behind", []string{"jtx-write-behind"}, false},
	{"SQLite", []string{"sqlite", "sqlite-batched"}, false},
	{"bbolt", []string{"bbolt", "bbolt-batch"}, false},
	{"pebble", []string{"pebble"}, false},
	{"renameio", []string{"renameio"}, true},
	{"renameio, directory synced", []string{"renameio-dirsync"}, true},
	{"natefinch/atomic", []string{"natefinch"}, true},
}

// table is a Markdown table.
type table struct{ strings.Builder }

func (t *table) row(cells ...string) { fmt.Fprintf(t, "| %s |\n", strings.Join(cells, " | ")) }

func (t *table) header(cells ...string) {
	t.row(cells...)
	t.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
}

// show prints the README's tables.
func show(w io.Writer, f *figures) error {
	_, err := fmt.Fprintf(w, "%s\n\n%s\n%s\n%s", f.machine(), storeTable(f, false), storeTable(f, true), processTable(f))
	return err
}

// storeTable is what one process reaches that keeps a store open: how many times
// the bare disk's rate, or in how many µs a field is read.
func storeTable(f *figures, read bool) string {
	var t table
	head := []string{"changes, × raw disk"}
	unit, better := "xraw", func(a, b float64) bool { return a > b }
	if read {
		head[0] = "reads, µs"
		unit, better = "p50-µs", func(a, b float64) bool { return a < b }
	}
	for _, c := range columns {
		head = append(head, c.title)
	}
	if !read {
		head = append(head, "fsyncs of jtx, write-behind")
	}
	t.header(head...)
	for _, r := range speed.Rows() {
		if r.Read != read {
			continue
		}
		cells := []string{r.Title}
		for _, c := range columns {
			text := cell(f.best("Speed/"+r.Name, c.systems, unit, better))
			if r.Unit > 1 && c.parts {
				text += ", not as a unit"
			}
			cells = append(cells, text)
		}
		if !read {
			cells = append(cells, f.syncs("Speed/"+r.Name, "jtx-full", "jtx-write-behind"))
		}
		t.row(cells...)
	}
	return t.String()
}

// best is the better figure of several systems.
func (f *figures) best(benchmark string, systems []string, unit string, better func(a, b float64) bool) (best float64, found bool) {
	for _, system := range systems {
		if v, ok := f.get(benchmark+"/"+system, unit); ok && (!found || better(v, best)) {
			best, found = v, true
		}
	}
	return best, found
}

// syncs is how many fsyncs an operation took with each of two systems.
func (f *figures) syncs(benchmark, one, other string) string {
	a, ok := f.get(benchmark+"/"+one, "fsyncs/op")
	b, ok2 := f.get(benchmark+"/"+other, "fsyncs/op")
	return cell(a, ok) + ", " + cell(b, ok2)
}

func cell(v float64, found bool) string {
	if !found {
		return "–"
	}
	return ratio(v)
}

// ratio has two digits that count.
func ratio(v float64) string {
	if v >= 10 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// races are the rows of processes: their benchmarks, and their titles.
var races = []struct{ name, title string }{
	{"set/1KB", "set a field, 1KB"}, {"set/100KB", "100KB"}, {"set/5MB", "5MB"},
	{"get/1KB", "read a field, 1KB"}, {"get/100KB", "100KB"}, {"get/5MB", "5MB"},
	{"counter/5", "5 at once add to one number"}, {"counter/16", "16"},
}

// processTable is what processes reach that each do one thing: how many times as
// long as hello world they take, and their p50 and p99.
func processTable(f *figures) string {
	var t table
	programs := []string{"hello", "jtx", "sqlite3", "flock+jq+sync+mv", "jq+mv", "jq"}
	t.header(append([]string{"a process for each, × hello world (p50, p99 in ms)"}, programs...)...)
	for _, race := range races {
		cells := []string{race.title}
		for _, p := range programs {
			cells = append(cells, processCell(f, "Process/"+race.name, p))
		}
		t.row(cells...)
	}
	return t.String()
}

func processCell(f *figures, benchmark, program string) string {
	p50, ok := f.get(benchmark, program+"-p50-ms")
	p99, ok2 := f.get(benchmark, program+"-p99-ms")
	x, ok3 := median(benchmark, program, "hello")(f)
	if !ok || !ok2 || !ok3 {
		return "–"
	}
	return fmt.Sprintf("%s (%s, %s)", ratio(x), ratio(p50), ratio(p99))
}
