package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/bench"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// build makes a program as the Makefile does.
func build(b testing.TB, dir, pkg string) string {
	program := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", out)
	return program
}

// BenchmarkProcess is work for which a process is started each time. A hello-world
// program in Go, jtx and others that are installed take turns; an operation is a
// turn of all. It reports of each of them the p50-ms and p99-ms, and
//
//   - xNAME: jtx's rate as a ratio to that of NAME; xraw: to that of the bare disk;
//   - fsyncs of one jtx set;
//   - rss-MB: the most memory that one jtx had resident.
func BenchmarkProcess(b *testing.B) {
	bin := b.TempDir()
	hello, jtx, maxrss := build(b, bin, "./testdata/hello"), build(b, bin, "github.com/jtx-project/jtx/cmd/jtx"), ""
	if runtime.GOOS == "linux" {
		maxrss = build(b, bin, "./testdata/maxrss")
	}
	start := bench.Starting(hello)
	start.Name = "hello"
	contenders := append([]bench.Contender{start, bench.JTX(jtx, "")}, bench.Others()...)
	var races []bench.Race
	for op, name := range []string{bench.Set: "set", bench.Get: "get"} {
		for _, size := range []int{measure.Small, measure.Middle, measure.Large} {
			races = append(races, bench.Race{Title: name + "/" + measure.SizeName(size), Op: bench.Op(op), Size: size, Workers: 1})
		}
	}
	for _, n := range []int{5, 16} {
		races = append(races, bench.Race{Title: fmt.Sprintf("counter/%d", n), Op: bench.Add, Size: measure.Small, Workers: n})
	}
	for _, race := range races {
		b.Run(race.Title, func(b *testing.B) {
			laps := raced(b, race, contenders)
			jtx := laps["jtx"]
			if jtx.Syncs != nil {
				b.ReportMetric(*jtx.Syncs, "fsyncs")
			}
			if maxrss != "" && race.Op != bench.Add {
				b.ReportMetric(resident(b, maxrss, jtx, race.Op), "rss-MB")
			}
		})
	}
}

func raced(b *testing.B, race bench.Race, contenders []bench.Contender) map[string]*bench.Lap {
	dir := b.TempDir()
	raw, err := measure.OpenRawDisk(dir)
	require.NoError(b, err)
	defer raw.Close()
	laps, err := race.Run(b.Context(), dir, contenders, func() bool {
		require.NoError(b, raw.Run(2*time.Millisecond))
		return b.Loop()
	})
	require.NoError(b, err)
	named := map[string]*bench.Lap{}
	for _, l := range laps {
		named[l.Name] = l
	}
	for name, l := range named {
		b.ReportMetric(l.Times.Quantile(0.5).Seconds()*1e3, name+"-p50-ms")
		b.ReportMetric(l.Times.Quantile(0.99).Seconds()*1e3, name+"-p99-ms")
		if name != "jtx" {
			b.ReportMetric(named["jtx"].Rate()/l.Rate(), "x"+name)
		}
	}
	b.ReportMetric(named["jtx"].Rate()/raw.Rate(), "xraw")
	return named
}

// resident runs jtx once more.
func resident(b *testing.B, maxrss string, l *bench.Lap, op bench.Op) float64 {
	cmd := exec.Command(maxrss, l.Words(op)...)
	cmd.Dir = l.Dir
	out, err := cmd.Output()
	require.NoError(b, err)
	var kb float64
	_, err = fmt.Sscan(strings.TrimSpace(string(out)), &kb)
	require.NoError(b, err)
	return kb / 1024
}
