package lockmgr

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Goroutines of several managers take two locks in random modes and give up at
// random moments: nobody is ever beside a writer, and nothing stays behind.
func TestGivingUpAtAnyMoment(t *testing.T) {
	paths := []string{lockPath(t), lockPath(t)}
	inside := make([]atomic.Int32, len(paths))
	managers := []*Manager{New(), New(), New()}
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	s := seed(t)
	var got, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range 12 {
		rnd := rand.New(rand.NewPCG(s, uint64(i)))
		m := managers[i%len(managers)]
		wg.Go(func() {
			for range 60 {
				if giveUpSoon(t, m, rnd, paths, inside) {
					got.Add(1)
				} else {
					lost.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d got their locks, %d gave up", got.Load(), lost.Load())
	require.Positive(t, got.Load())
	eventually(t, "nothing stays behind", func() bool {
		for _, m := range managers {
			if !idle(m) {
				return false
			}
		}
		return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files
	})
}

// aWriter counts for more than all readers.
const aWriter = 1000

func giveUpSoon(t *testing.T, m *Manager, rnd *rand.Rand, paths []string, inside []atomic.Int32) bool {
	var reqs []Request
	for _, p := range paths {
		reqs = append(reqs, one(Mode(rnd.IntN(2)), p)...)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timeout := time.Duration(rnd.IntN(2000)) * time.Microsecond
	if rnd.IntN(3) == 0 {
		time.AfterFunc(timeout, cancel)
		timeout = -1
	}
	h, err := m.Acquire(ctx, timeout, reqs)
	if err != nil {
		if !errors.Is(err, ErrTimeout) && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return false
	}
	for i, r := range reqs {
		me := weight(r.Mode)
		if n := inside[i].Add(me); n > aWriter || n == aWriter && r.Mode == Shared {
			t.Errorf("%d inside", n)
		}
	}
	time.Sleep(time.Duration(rnd.IntN(200)) * time.Microsecond)
	for i, r := range reqs {
		inside[i].Add(-weight(r.Mode))
	}
	return h.Release() == nil
}

func weight(mode Mode) int32 {
	if mode == Exclusive {
		return aWriter
	}
	return 1
}
