package main

import (
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/require"
)

// The collector is put off once: then it works as it would have.
func TestCollectorIsDelayedOnce(t *testing.T) {
	percent := func() uint64 {
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	t.Setenv("GOGC", "")
	usual := percent()
	delayCollector()
	require.Greater(t, percent(), usual)
	for percent() != usual { // a test that does not end is one that fails
		runtime.GC()
	}

	t.Setenv("GOGC", "250")
	delayCollector()
	require.Equal(t, usual, percent(), "who has set it gets that")
}
