package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// TestSystems does a little of each row with each system, which must lose nothing.
func TestSystems(t *testing.T) { little(t, speed.Rows(), systems()) }

func TestTailSystems(t *testing.T) { little(t, tailRows(), tailSystems()) }

func little(t *testing.T, rows []speed.Row, systems []speed.System) {
	for _, row := range rows {
		for _, system := range systems {
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

func BenchmarkSpeed(b *testing.B) { compare(b, speed.Rows(), systems()) }

// BenchmarkTail is for the shared log, which is no part of jtx.
func BenchmarkTail(b *testing.B) { compare(b, tailRows(), tailSystems()) }

func compare(b *testing.B, rows []speed.Row, systems []speed.System) {
	for _, row := range rows {
		for _, system := range systems {
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
