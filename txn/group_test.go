package txn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/internal/hooks"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// groupTest is a store with one file.
func groupTest(t *testing.T, o Options) (*Store, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.json")
	require.NoError(t, os.WriteFile(file, []byte("{\"n\": 0}\n"), 0o644))
	o.Actor = "tester"
	s, err := Open(filepath.Dir(file), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, TestRooms.Verify(s))
	})
	return s, file
}

// waiting is how many stand behind the leader.
func (s *Store) waiting() (n int) {
	s.groupsMu.Lock()
	defer s.groupsMu.Unlock()
	for _, g := range s.groups {
		g.mu.Lock()
		n += len(g.waiting)
		g.mu.Unlock()
	}
	return n
}

type outcome struct {
	res Result
	err error
}

// asGroup runs leader in a transaction which lasts until the others, one after the
// other, have come to wait: so these are committed together next.
func asGroup(t *testing.T, s *Store, file string, leader func(*Tx) error, others ...func(*Tx) error) []outcome {
	t.Helper()
	out := make([]outcome, len(others)+1)
	var wg sync.WaitGroup
	inside, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	run := func(i int, fn func(*Tx) error) {
		out[i].err = errors.New("its goroutine ended")
		defer func() { _ = recover() }()
		out[i].res, out[i].err = s.Do(context.Background(), []string{file}, fn)
	}
	wg.Go(func() {
		run(0, func(tx *Tx) error {
			once.Do(func() { close(inside) })
			<-leave
			return leader(tx)
		})
	})
	<-inside
	for i, fn := range others {
		wg.Go(func() { run(i+1, fn) })
		require.Eventually(t, func() bool { return s.waiting() == i+1 }, time.Minute, time.Millisecond)
	}
	close(leave)
	wg.Wait()
	return out
}

func setting(file, ptr string, v any) func(*Tx) error {
	return func(tx *Tx) error { return tx.Set(file, ptr, v) }
}

func increment(file string) func(*Tx) error {
	return func(tx *Tx) error {
		var n int
		if err := tx.Decode(file, "/n", &n); err != nil {
			return err
		}
		return tx.Set(file, "/n", n+1)
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}

func TestGroupIsOneRevisionOfManyTransactions(t *testing.T) {
	s, file := groupTest(t, Options{})
	got := asGroup(t, s, file, setting(file, "/first", 1), increment(file), increment(file),
		func(*Tx) error { return nil }, setting(file, "/c", 3))
	ids := map[wal.ID]bool{}
	for i, o := range got {
		require.NoError(t, o.err)
		if i == 3 {
			require.Zero(t, o.res.ID, "it changed nothing")
			require.False(t, o.res.Files[0].Changed)
			continue
		}
		require.False(t, ids[o.res.ID])
		ids[o.res.ID] = true
		require.Len(t, o.res.Files[0].Patch, 1)
	}
	require.EqualValues(t, 2, got[0].res.Files[0].Rev)
	for _, o := range got[1:] {
		require.EqualValues(t, 3, o.res.Files[0].Rev)
	}
	want := "{\"n\": 2,\"first\": 1,\"c\": 3}\n"
	require.Equal(t, want, strings.ReplaceAll(content(t, file), ", ", ","))

	// Each is in the history for itself, and can be taken back by itself.
	seen := 0
	for _, e := range entries(t, s, file) {
		if ids[e.ID] {
			seen++
			require.Equal(t, "tester", e.Actor)
		}
	}
	require.Equal(t, 4, seen)
	require.NoError(t, TestRooms.Undo(s, got[4].res.ID))
	require.NotContains(t, content(t, file), `"c"`)
	require.Contains(t, content(t, file), `"first"`)
	require.Contains(t, revisionOf(t, s, file, 3), `"c"`)
}

// Those who fail, in whatever way, take nothing from the others.
func TestGroupGoesOnWithoutThoseWhoFail(t *testing.T) {
	s, file := groupTest(t, Options{})
	boom := errors.New("boom")
	spoil := func(then func()) func(*Tx) error {
		return func(tx *Tx) error {
			if err := tx.Set(file, "/bad", 1); err != nil {
				return err
			}
			then()
			return boom
		}
	}
	got := asGroup(t, s, file, spoil(func() {}), increment(file), spoil(func() {}), increment(file),
		spoil(func() { panic("a") }), increment(file), spoil(runtime.Goexit), increment(file))
	for i, o := range got {
		switch i {
		case 0, 2:
			require.ErrorIs(t, o.err, boom)
		case 4, 6:
			require.ErrorContains(t, o.err, "its goroutine ended")
		default:
			require.NoError(t, o.err)
		}
	}
	require.Equal(t, "{\"n\": 4}\n", content(t, file))
}

func TestGroupOutlivesItsLeader(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("a") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			s, file := groupTest(t, Options{})
			got := asGroup(t, s, file, func(*Tx) error { end(); return nil }, increment(file), func(*Tx) error { end(); return nil }, increment(file))
			require.NoError(t, got[1].err)
			require.NoError(t, got[3].err)
			require.Equal(t, "{\"n\": 2}\n", content(t, file))
		})
	}
}

// Where a commit fails each of the others gets its own answer: here the fault is
// over when they are tried again.
func TestGroupIsTriedAgainWithoutItsLeader(t *testing.T) {
	fails := false
	var once sync.Once
	fsy := &stageFS{FS: fsys.OS, fails: func() bool { defer func() { fails = false }(); return fails }}
	s, file := groupTest(t, Options{hooks: hooks.Hooks{FS: fsy}})
	got := asGroup(t, s, file, increment(file), increment(file), func(tx *Tx) error {
		once.Do(func() { fails = true })
		return increment(file)(tx)
	}, increment(file))
	require.NoError(t, got[0].err)
	require.ErrorIs(t, got[1].err, syscall.ENOSPC)
	require.NoError(t, got[2].err)
	require.NoError(t, got[3].err)
	require.Equal(t, "{\"n\": 3}\n", content(t, file))
}

// stageFS fails to make temporary files.
type stageFS struct {
	fsys.FS
	fails func() bool
}

func (f *stageFS) OpenFile(name string, flag int, perm os.FileMode) (fsys.File, error) {
	if strings.HasSuffix(name, ".tmp") && f.fails() {
		return nil, &os.PathError{Op: "open", Path: name, Err: syscall.ENOSPC}
	}
	return f.FS.OpenFile(name, flag, perm)
}

func TestWhoWaitsInAGroupCanGiveUp(t *testing.T) {
	s, file := groupTest(t, Options{LockTimeout: 20 * time.Millisecond})
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := s.Do(context.Background(), []string{file}, func(tx *Tx) error {
			close(inside)
			<-leave
			return increment(file)(tx)
		})
		require.NoError(t, err)
	})
	<-inside
	_, err := s.Do(context.Background(), []string{file}, increment(file))
	require.ErrorIs(t, err, ErrLockTimeout)
	ctx, cancel := context.WithCancelCause(context.Background())
	gone := errors.New("gone")
	go func() {
		for s.waiting() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel(gone)
	}()
	_, err = s.Do(ctx, []string{file}, increment(file))
	if !errors.Is(err, ErrLockTimeout) {
		require.ErrorIs(t, err, gone)
	}
	close(leave)
	wg.Wait()
	require.Equal(t, "{\"n\": 1}\n", content(t, file))
}

// A group whose changes cancel each other out is in the history all the same.
func TestGroupThatComesToNothingIsRecorded(t *testing.T) {
	s, file := groupTest(t, Options{})
	got := asGroup(t, s, file, setting(file, "/x", 1), setting(file, "/n", 7), setting(file, "/n", 0))
	for _, o := range got {
		require.NoError(t, o.err)
		require.NotZero(t, o.res.ID)
	}
	for _, o := range got[1:] {
		require.Len(t, entriesOf(t, s, file, o.res.ID), 1)
	}
}

func entriesOf(t *testing.T, s *Store, file string, id wal.ID) (list []Logged) {
	t.Helper()
	for _, e := range entries(t, s, file) {
		if e.ID == id {
			list = append(list, e)
		}
	}
	return list
}

// A file that is removed and made again within a group.
func TestGroupThatRemovesAndMakes(t *testing.T) {
	s, file := groupTest(t, Options{})
	got := asGroup(t, s, file, setting(file, "/x", 1),
		func(tx *Tx) error { return tx.Remove(file) }, setting(file, "/m", 2), setting(file, "/n", 3))
	for _, o := range got {
		require.NoError(t, o.err)
	}
	require.Equal(t, "{\n  \"m\": 2,\n  \"n\": 3\n}\n", content(t, file))
}

// Many goroutines, each with its own share of files and all with one in common.
func TestGroupsOverManyFiles(t *testing.T) {
	for _, o := range []Options{{}, {WriteBehind: WriteBehind{Delay: 5 * time.Millisecond}}} {
		t.Run(fmt.Sprint(o.WriteBehind.Delay), func(t *testing.T) {
			s, file := groupTest(t, o)
			dir := filepath.Dir(file)
			var wg sync.WaitGroup
			for w := range 16 {
				wg.Go(func() {
					for i := range 10 {
						files := []string{file}
						if i%2 == 1 {
							files = append(files, filepath.Join(dir, fmt.Sprintf("w%d.json", w%3)))
						}
						_, err := s.Do(context.Background(), files, func(tx *Tx) error {
							for _, f := range files {
								if there, err := tx.Exists(f); err != nil {
									return err
								} else if !there {
									if err := tx.Put(f, []byte(`{"n": 0}`)); err != nil {
										return err
									}
								}
								if err := increment(f)(tx); err != nil {
									return err
								}
							}
							return nil
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			require.NoError(t, s.Flush(context.Background()))
			require.Equal(t, "{\"n\": 160}\n", content(t, file))
			sum := 0
			for w := range 3 {
				var n int
				f := filepath.Join(dir, fmt.Sprintf("w%d.json", w))
				require.NoError(t, s.View(context.Background(), []string{f}, func(tx *Tx) error { return tx.Decode(f, "/n", &n) }))
				sum += n
			}
			require.Equal(t, 80, sum)
		})
	}
}

// Whose function has failed is told so, also where its context ends while the others
// are committed.
func TestGroupMemberThatFailsAndIsCancelled(t *testing.T) {
	s, file := groupTest(t, Options{})
	boom := errors.New("boom")
	inside, leave := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	var failed atomic.Bool
	fns := []func(*Tx) error{
		func(*Tx) error { close(inside); <-leave; return nil },
		increment(file),
		func(*Tx) error { cancel(); failed.Store(true); return boom },
		// Who cancelled has had time to see it before the others are committed.
		func(tx *Tx) error {
			require.True(t, failed.Load())
			time.Sleep(20 * time.Millisecond)
			return increment(file)(tx)
		},
	}
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	for i, fn := range fns {
		of := context.Background()
		if i == 2 {
			of = ctx
		}
		wg.Go(func() { _, errs[i] = s.Do(of, []string{file}, fn) })
		<-inside
		require.Eventually(t, func() bool { return s.waiting() == i }, time.Minute, time.Millisecond)
	}
	close(leave)
	wg.Wait()
	require.ErrorIs(t, errs[2], boom)
	require.NoError(t, errors.Join(errs[0], errs[1], errs[3]))
	require.Equal(t, "{\"n\": 2}\n", content(t, file))
}
