package lockmgr

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestKilledHolderHoldsNothing(t *testing.T) {
	path := lockPath(t)
	p := hold(t, Exclusive, path)
	require.ErrorIs(t, try(New(), one(Exclusive, path)), ErrTimeout)
	p.kill(t)
	require.NoError(t, try(New(), one(Exclusive, path)))
}

func TestKilledWaiterIsNotInTheWay(t *testing.T) {
	path := lockPath(t)
	holder := hold(t, Exclusive, path)
	waiter := play(t, role{Name: "hold", Paths: []string{path}, Mode: Exclusive, Timeout: long})
	eventually(t, "it waits", func() bool {
		info, err := os.Stat(path)
		return err == nil && info.Size() > FileSize
	})
	waiter.kill(t)
	holder.finish(t)
	h := acquire(t, New(), one(Exclusive, path))
	require.NoError(t, h.Release())
}

// Sixteen processes in tight loops on one lock: no update is lost, and each has
// its turn although it holds the lock for no time at all.
func TestProcessesAllMakeProgress(t *testing.T) {
	const processes, total = 16, 3000
	dir := t.TempDir()
	r := role{Name: "count", Paths: []string{filepath.Join(dir, "lock")}, Mode: Exclusive, Timeout: long}
	r.Counter, r.Total = filepath.Join(dir, "counter"), total
	require.NoError(t, os.WriteFile(r.Counter, []byte("0"), 0o600))

	// The lock keeps them at the start until all of them stand there.
	start := acquire(t, Default, r.request())
	var players []*player
	for range processes {
		players = append(players, play(t, r))
	}
	eventually(t, "all wait", func() bool {
		s, err := Default.Probe(r.Paths[0])
		return err == nil && len(s.Waiters) == processes
	})
	require.NoError(t, start.Release())

	var turns []int
	sum := 0
	for _, p := range players {
		n, err := strconv.Atoi(p.finish(t))
		require.NoError(t, err)
		turns = append(turns, n)
		sum += n
	}
	t.Logf("turns of %d: min %d, max %d", total, slices.Min(turns), slices.Max(turns))
	require.Equal(t, total, sum, "each increment was seen")
	require.Positive(t, slices.Min(turns))
	raw, err := os.ReadFile(r.Counter)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(total), string(raw))
}

// Readers that overlap all the time don't keep a writer out for ever. Each
// manager stands for a process.
func TestReadersDontStarveAWriter(t *testing.T) {
	path := lockPath(t)
	ctx, cancel := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	for range 6 {
		m := New()
		readers.Go(func() {
			for ctx.Err() == nil {
				h, err := m.Acquire(ctx, -1, one(Shared, path))
				if err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
				_ = h.Release()
			}
		})
	}
	m := New()
	for range 10 {
		h := acquire(t, m, one(Exclusive, path))
		require.NoError(t, h.Release())
	}
	cancel()
	readers.Wait()
}

// Random subsets in random order: whoever would wait in a circle, would wait
// until the timeout and fail.
func TestOrderPreventsDeadlock(t *testing.T) {
	dir := t.TempDir()
	r := role{Name: "dance", Timeout: long, Total: 60}
	for i := range 6 {
		r.Paths = append(r.Paths, filepath.Join(dir, fmt.Sprint(i)))
	}
	s := seed(t)
	var players []*player
	for i := range 8 {
		r.Seed = s + uint64(i)
		players = append(players, play(t, r))
	}
	for _, p := range players {
		require.Empty(t, p.finish(t))
	}
}
