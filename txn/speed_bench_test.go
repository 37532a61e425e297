package txn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/speed"
)

// BenchmarkSpeed is jtx at the work that the module cmd/peers does with other
// stores too. Beside the time it reports what [speed.Result] has.
func BenchmarkSpeed(b *testing.B) {
	for _, row := range speed.Rows() {
		for _, system := range speed.JTX() {
			b.Run(row.Name+"/"+system.Name, func(b *testing.B) {
				b.ReportAllocs()
				r, err := speed.Measure(b.Context(), row, system, b.TempDir(), b.Loop)
				require.NoError(b, err)
				for unit, v := range r.Metrics() {
					b.ReportMetric(v, unit)
				}
			})
		}
	}
}
