package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/speed"
)

const printed = `goos: linux
cpu: A CPU
BenchmarkSpeed/writer/1KB/jtx-full-2 	 85	 400000 ns/op	 3.000 fsyncs/op	 2121 p50-µs	 0.5000 xraw
BenchmarkProcess/set/1KB-2 	 5	 1900 ns/op	 8.020 rss-MB	 3.473 xflock+jq+sync+mv	 0.5000 xhello	2 hello-p50-ms	4 hello-p99-ms	5 jtx-p50-ms	9 jtx-p99-ms
PASS
`

func TestFigures(t *testing.T) {
	f := &figures{values: map[string]float64{}}
	require.NoError(t, f.read(strings.NewReader(printed)))
	require.Equal(t, map[string]float64{
		"Speed/writer/1KB/jtx-full ns/op": 400000, "Speed/writer/1KB/jtx-full fsyncs/op": 3,
		"Speed/writer/1KB/jtx-full p50-µs": 2121, "Speed/writer/1KB/jtx-full xraw": 0.5,
		"Process/set/1KB ns/op": 1900, "Process/set/1KB rss-MB": 8.02, "Process/set/1KB xflock+jq+sync+mv": 3.473, "Process/set/1KB xhello": 0.5,
		"Process/set/1KB hello-p50-ms": 2, "Process/set/1KB hello-p99-ms": 4, "Process/set/1KB jtx-p50-ms": 5, "Process/set/1KB jtx-p99-ms": 9,
	}, f.values)
	require.Contains(t, f.machine(), "A CPU, ")
	require.Contains(t, f.machine(), "the bare disk: 5000 a second")
	require.Contains(t, storeTable(f, false), "| one writer, 1KB | 0.5 | – |")
	require.Contains(t, processTable(f), "| set a field, 1KB | 1 (2, 4) | 2.5 (5, 9) | – | – | – | – |\n")
}

// everything has each figure that the benchmarks report, all of them v.
func everything(v float64) *figures {
	f := &figures{values: map[string]float64{"Crowd passed": v, "Memory rss-MB": v}}
	set := func(benchmark string, units ...string) {
		for _, u := range units {
			f.values[benchmark+" "+u] = v
		}
	}
	for _, row := range speed.Rows() {
		for _, s := range systems() {
			set("Speed/"+row.Name+"/"+s.Name, "ns/op", "xraw", "xcopy", "p50-µs", "p99-µs", "fsyncs/op")
		}
	}
	for _, race := range races {
		set("Process/"+race.name, "xhello", "hello-p50-ms", "sqlite3-p50-ms", "jtx-p50-ms", "jtx-p99-ms", "rss-MB")
	}
	set("Growth/100000", "xdrift", "open-µs", "bytes/commit")
	return f
}

func TestTargets(t *testing.T) {
	for _, target := range targets() {
		_, ok := target.value(everything(1))
		require.True(t, ok, "%s, %s: nobody measures that", target.work, target.what)
		require.False(t, target.met(&figures{}), "what was not measured is missed")
		v := target
		v.bound = 1
		require.True(t, v.met(everything(1)), "%s: the bound itself", target.work)
	}
	over := target{value: of("x", "y"), most: true, bound: 2}
	f := &figures{values: map[string]float64{"x y": 3}}
	require.False(t, over.met(f))
	over.most = false
	require.True(t, over.met(f))

	var out strings.Builder
	missed, err := judge(&out, everything(0))
	require.NoError(t, err)
	require.Positive(t, missed)
	require.Equal(t, missed, strings.Count(out.String(), "**missed**"))
	require.Equal(t, len(targets())-missed, strings.Count(out.String(), "| met |"))
}
