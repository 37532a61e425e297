package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// TestSystems does a little of each row with each system, which must lose nothing.
func TestSystems(t *testing.T) {
	for _, row := range speed.Rows() {
		for _, system := range systems() {
			t.Run(row.Name+"/"+system.Name, func(t *testing.T) {
				if testing.Short() && row.Size == measure.Large {
					t.Skip("a large document takes its time")
				}
				left := 2 * row.Workers
				r, err := speed.Measure(t.Context(), row, system, t.TempDir(), func() bool { left--; return left >= 0 })
				require.NoError(t, err)
				require.Len(t, r.Times, 2*row.Workers)
			})
		}
	}
}

func BenchmarkSpeed(b *testing.B) {
	for _, row := range speed.Rows() {
		for _, system := range systems() {
			b.Run(row.Name+"/"+system.Name, func(b *testing.B) {
				r, err := speed.Measure(b.Context(), row, system, b.TempDir(), b.Loop)
				require.NoError(b, err)
				for unit, v := range r.Metrics() {
					b.ReportMetric(v, unit)
				}
			})
		}
	}
}
