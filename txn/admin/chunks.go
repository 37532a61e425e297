package admin

import (
	"context"
	"runtime"
	"sync"
)

// chunk is how many files a worker takes at once.
const chunk = 64

// inChunks calls do for each of n things, as many at once as there are processors, and then
// told, in any order but never two at once. It stops where the context ends.
func inChunks(ctx context.Context, n int, do, told func(i int)) error {
	return atOnce(ctx, n, runtime.GOMAXPROCS(0), chunk, do, told)
}

// syncsAtOnce is how many files whose history begins are synced at once: a file system makes
// one writing to the disk of many that wait for it.
const syncsAtOnce = 16

// inSyncs is inChunks for what waits for the disk.
func inSyncs(ctx context.Context, n int, do, told func(i int)) error {
	return atOnce(ctx, n, syncsAtOnce, 1, do, told)
}

func atOnce(ctx context.Context, n, most, chunk int, do, told func(i int)) error {
	var mu sync.Mutex
	var next int
	take := func() (from, to int) {
		mu.Lock()
		defer mu.Unlock()
		from, to = next, min(n, next+chunk)
		next = to
		return from, to
	}
	var workers sync.WaitGroup
	for range min(most, (n+chunk-1)/chunk) {
		workers.Go(func() {
			for from, to := take(); from < to && ctx.Err() == nil; from, to = take() {
				for i := from; i < to && ctx.Err() == nil; i++ {
					do(i)
				}
				mu.Lock()
				for i := from; i < to; i++ {
					told(i)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
