package fuzz

import (
	"context"
	"errors"
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
		return errors.Join(fn(), w.leave())
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

// longBehind lets files be behind until a step lets time pass, and hardlyBehind only
// until the transaction is over.
var (
	longBehind   = txn.WriteBehind{Delay: time.Second}
	hardlyBehind = txn.WriteBehind{Delay: time.Second, Bytes: 1}
)

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
		time.Sleep(2 * longBehind.Delay)
		return setAll(tx, value, files)
	})
}
