package fuzz

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jtx-project/jtx/txn"
)

// still runs fn; for a workload that says so, where the clock stands still unless
// something sleeps. So what a store does by itself when some time is over happens in
// the step that lets it pass, and a run can be repeated. Nothing outside may have
// locks that fn wants.
func (w *workload) still(t *testing.T, fn func() error) (err error) {
	if !w.stands {
		return fn()
	}
	synctest.Test(t, func(*testing.T) { err = errors.Join(fn(), w.leave()) })
	return err
}

// leave closes all stores. What can't be carried forward then is left to recovery.
func (w *workload) leave() error {
	for _, s := range w.stores {
		_ = s.Close()
	}
	w.stores = nil
	return nil
}

// behindDelay is how long the files of a workload may be behind.
const behindDelay = time.Second

// elapse lets so much time pass that the files follow.
func elapse(*world) error {
	time.Sleep(10 * time.Millisecond)
	return nil
}

func flush(w *world) error { return w.store.Flush(context.Background()) }

// slowly is a transaction during which the files have been behind for long enough, so
// that they follow before it returns.
func slowly(value any, files ...string) step {
	return do(files, func(tx *txn.Tx) error {
		time.Sleep(2 * behindDelay)
		return setAll(tx, value, files)
	})
}

// together commits transactions as one group. The first who comes leads, and changes
// nothing until the others have come to wait.
func together(files []string, fns ...func(*txn.Tx) error) step {
	return func(w *world) error {
		leave := make(chan struct{})
		results, errs := make([]txn.Result, len(fns)), make([]error, len(fns)+1)
		var wait sync.WaitGroup
		run := func(fn func(*txn.Tx) error) (txn.Result, error) { return w.store.Do(context.Background(), files, fn) }
		wait.Go(func() {
			_, errs[len(fns)] = run(func(*txn.Tx) error { <-leave; return nil })
		})
		for i, fn := range fns {
			synctest.Wait()
			wait.Go(func() { results[i], errs[i] = run(fn) })
		}
		synctest.Wait()
		close(leave)
		wait.Wait()
		for _, r := range results {
			if errs[0] == nil && (len(r.Files) == 0 || r.Files[0].Rev != results[0].Files[0].Rev) {
				errs = append(errs, fmt.Errorf("not committed together: %v", results))
			}
		}
		return firstError(errs...)
	}
}

// members are transactions for together, each of which sets a place of its own and
// counts at /v, which is a number.
func members(n int, files ...string) (fns []func(*txn.Tx) error) {
	for i := range n {
		fns = append(fns, func(tx *txn.Tx) error {
			for _, f := range files {
				var v int
				err := firstError(tx.Decode(f, "/v", &v), tx.Set(f, "/v", v+1), tx.Set(f, fmt.Sprintf("/m%d", i), v))
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return fns
}
