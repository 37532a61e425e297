package measure

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// Times are how long single operations took.
type Times []time.Duration

// Quantile is the time within which the part q (0 to 1) of the operations was
// done; 0 where there were none. It sorts.
func (t Times) Quantile(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	slices.Sort(t)
	return t[min(int(q*float64(len(t))), len(t)-1)]
}

// Until is true from its first call on, for a time.
func Until(d time.Duration) func() bool {
	var start time.Time
	return func() bool {
		if start.IsZero() {
			start = time.Now()
			return true
		}
		return time.Since(start) < d
	}
}

// Work lets workers do an operation, each one at a time, as often as more says, or
// until one fails. Every true of more is one operation; more is called by this
// goroutine alone, so that it may be testing.B.Loop.
func Work(workers int, more func() bool, op func(worker int) error) (Times, error) {
	if workers == 1 {
		return alone(more, op)
	}
	turns := make(chan struct{})
	times, errs := make([]Times, workers), make([]error, workers)
	failed := make(chan struct{})
	var once sync.Once
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for range turns {
				start := time.Now()
				if errs[w] = op(w); errs[w] != nil {
					once.Do(func() { close(failed) })
					return
				}
				times[w] = append(times[w], time.Since(start))
			}
		})
	}
	for going := true; going && more(); {
		select {
		case turns <- struct{}{}:
		case <-failed:
			going = false
		}
	}
	close(turns)
	group.Wait()
	return slices.Concat(times...), errors.Join(errs...)
}

func alone(more func() bool, op func(worker int) error) (times Times, err error) {
	for more() {
		start := time.Now()
		if err := op(0); err != nil {
			return times, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}
