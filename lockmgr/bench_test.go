package lockmgr

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

func BenchmarkAcquireRelease(b *testing.B) {
	cases := []struct {
		name string
		req  Request
	}{
		{"exclusive", Request{Mode: Exclusive}},
		{"exclusive-no-holder", Request{Mode: Exclusive, NoHolder: true}},
		{"shared", Request{Mode: Shared}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			m := New()
			c.req.Path = filepath.Join(b.TempDir(), "lock")
			b.ReportAllocs()
			for b.Loop() {
				h, err := m.Acquire(context.Background(), time.Second, []Request{c.req})
				if err != nil {
					b.Fatal(err)
				}
				_ = h.Release()
			}
		})
	}
	b.Run("bare-flock", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "lock")
		b.ReportAllocs()
		for b.Loop() {
			fl := flock.New(path)
			_, _ = fl.TryLock()
			_ = fl.Unlock()
		}
	})
}

func BenchmarkAcquireMany(b *testing.B) {
	for _, n := range []int{3, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := New()
			dir := b.TempDir()
			var reqs []Request
			for i := range n {
				path := filepath.Join(dir, fmt.Sprint(i))
				reqs = append(reqs, Request{Order: path, Path: path, Mode: Exclusive})
			}
			for b.Loop() {
				h, err := m.Acquire(context.Background(), time.Second, reqs)
				if err != nil {
					b.Fatal(err)
				}
				_ = h.Release()
			}
		})
	}
}

// BenchmarkHandOver measures the time from the release of a lock in one process
// (a manager of its own behaves like one) to its arrival at a waiter in another.
func BenchmarkHandOver(b *testing.B) {
	b.Run("between-processes", func(b *testing.B) { handOver(b, New(), New()) })
	b.Run("between-goroutines", func(b *testing.B) {
		m := New()
		handOver(b, m, m)
	})
}

func handOver(b *testing.B, m1, m2 *Manager) {
	req := []Request{{Path: filepath.Join(b.TempDir(), "lock"), Mode: Exclusive}}
	var total atomic.Int64
	for b.Loop() {
		h, err := m1.Acquire(context.Background(), time.Second, req)
		require.NoError(b, err)
		arrived := make(chan time.Time)
		go func() {
			w, err := m2.Acquire(context.Background(), time.Minute, req)
			if err == nil {
				arrived <- time.Now()
				_ = w.Release()
			}
			close(arrived)
		}()
		time.Sleep(time.Millisecond)
		released := time.Now()
		require.NoError(b, h.Release())
		total.Add(int64((<-arrived).Sub(released)))
		<-arrived
	}
	b.ReportMetric(float64(total.Load())/float64(b.N)/1e3, "µs/hand-over")
}
