package fuzz

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// gather commits transactions as one group. The first who comes leads, and changes
// nothing until the others have come to wait.
func gather(s *txn.Store, files []string, fns []func(*txn.Tx) error) (results []txn.Result, errs []error) {
	leave := make(chan struct{})
	results, errs = make([]txn.Result, len(fns)), make([]error, len(fns))
	var wait sync.WaitGroup
	var first error
	wait.Go(func() {
		_, first = s.Do(context.Background(), files, func(*txn.Tx) error { <-leave; return nil })
	})
	for i, fn := range fns {
		synctest.Wait()
		wait.Go(func() { results[i], errs[i] = s.Do(context.Background(), files, fn) })
	}
	synctest.Wait()
	close(leave)
	wait.Wait()
	if first != nil {
		panic(first) // it changes nothing, and the files are there
	}
	return results, errs
}

// together is a step that commits transactions as one group.
func together(files []string, fns ...func(*txn.Tx) error) step {
	return func(w *world) error {
		results, errs := gather(w.store, files, fns)
		for _, r := range results {
			if firstError(errs...) == nil && r.Files[0].Rev != results[0].Files[0].Rev {
				return fmt.Errorf("not committed together: %v", results)
			}
		}
		return firstError(errs...)
	}
}

// members are transactions for a group. Each counts at /v, which is a number, and
// keeps what it found there at a place of its own.
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

// TestEachAnswerOfAGroupIsTrue fails the k-th call of a group's commit: each of its
// transactions is there once if it was told so, and not at all if it was told of an
// error.
func TestEachAnswerOfAGroupIsTrue(t *testing.T) {
	for name, fault := range faults {
		for kind, w := range map[string]*workload{
			"one file":          {files: []string{"one/a.json"}},
			"two files, behind": {files: []string{"one/a.json", "one/b.json"}, behind: longBehind},
			"one file, late":    {files: []string{"one/a.json"}, behind: hardlyBehind},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				row := evidence.Start(t, "the k-th call fails, until success; a group", "runs")
				w.stands, w.seed, w.ready = true, map[string]string{}, []step{set(0, w.files...)}
				for _, f := range w.files {
					w.seed[f] = small
				}
				for hit := true; hit; fault.Call++ {
					var committed int
					if err := w.still(t, func() (err error) { hit, committed, err = w.groupMeets(t, fault); return err }); err != nil {
						t.Fatalf("call %d: %v", fault.Call, err)
					}
					row.Tried, row.Checked = row.Tried+1, row.Checked+committed
				}
			})
		}
	}
}

// groupMeets commits three transactions as a group, in which a call fails.
func (w *workload) groupMeets(t *testing.T, fault fsys.Fault) (hit bool, committed int, err error) {
	dir := scratch(t)
	if err := w.setup(dir); err != nil {
		return false, 0, err
	}
	bad := fsys.NewFailing(fsys.OS, fault)
	world, err := w.open(bad, dir, 0)
	if err != nil {
		return false, 0, err
	}
	_, errs := gather(world.store, w.files, members(3, w.files...))
	hit = bad.Failed() > 0
	if err := w.leave(); err != nil {
		return hit, 0, err
	}
	if world, err = w.open(fsys.OS, dir, 0); err != nil {
		return hit, 0, err
	}
	committed, err = countMembers(world.store, w.files, errs)
	if err != nil {
		return hit, committed, fmt.Errorf("%w\nthe answers were %q", err, errs)
	}
	return hit, committed, firstError(sweep(world.store, dir), verify(world.store, dir))
}

// countMembers compares what a view shows with what the members were told. Those in
// doubt were one unit.
func countMembers(s *txn.Store, files []string, errs []error) (count int, err error) {
	err = s.View(context.Background(), files, func(tx *txn.Tx) error {
		for _, f := range files {
			var doc map[string]any
			if err := tx.Decode(f, "", &doc); err != nil {
				return err
			}
			count = 0
			doubts, seen := 0, 0
			for i, answer := range errs {
				_, there := doc[fmt.Sprintf("m%d", i)]
				switch {
				case errors.Is(answer, txn.ErrInDoubt):
					if doubts++; there {
						seen++
					}
				case there != (answer == nil):
					return fmt.Errorf("%s: transaction %d was told %v: %v", f, i, answer, doc)
				}
				if there {
					count++
				}
			}
			if doc["v"] != float64(count) || seen != 0 && seen != doubts {
				return fmt.Errorf("%s: %d transactions, of which %d of %d were in doubt: %v", f, count, seen, doubts, doc)
			}
		}
		return nil
	})
	return count, err
}
