package txn_test

import (
	"testing"

	"github.com/jtx-project/jtx/txn/internal/speed"
)

// BenchmarkSpeed is jtx at the work that the module txn/peers does with other
// stores too.
func BenchmarkSpeed(b *testing.B) {
	for _, row := range speed.Rows {
		for _, system := range speed.JTX {
			b.Run(row.Name+"/"+system.Name, func(b *testing.B) { speed.Bench(b, row, system) })
		}
	}
}
