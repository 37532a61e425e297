package history_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

// watching pulls the entries of a watch.
func watching(t *testing.T, s *txn.Store, files []string, o history.WatchOptions) func() history.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	next, stop := iter.Pull2(history.Watch(ctx, s, files, o))
	t.Cleanup(func() { stop(); cancel() })
	return func() history.Entry {
		t.Helper()
		e, err, ok := next()
		require.True(t, ok)
		require.NoError(t, err)
		return e
	}
}

// fromStart makes a watch yield all there is.
func fromStart() history.WatchOptions {
	return history.WatchOptions{Since: history.AtTime(time.Unix(0, 0))}
}

func TestWatchYieldsEachTransactionOnce(t *testing.T) {
	const writers, each = 4, 15
	s, _ := openStore(t)
	first := set(t, s, "shared.json", "/n", 0)
	next := watching(t, s, nil, fromStart())
	require.Equal(t, first.ID, next().ID)

	want := make([]map[wal.ID]bool, writers)
	var wg sync.WaitGroup
	for i := range writers {
		want[i] = map[wal.ID]bool{}
		wg.Go(func() {
			own := fmt.Sprintf("own%d.json", i)
			for n := range each {
				res, err := s.Do(context.Background(), []string{own, "shared.json"}, func(tx *txn.Tx) error {
					if n%2 == 0 {
						if err := tx.Set("shared.json", "/n", i*each+n+1); err != nil {
							return err
						}
					}
					return tx.Set(own, "/n", n)
				}, txn.WithDurability(txn.Journal))
				if err != nil {
					t.Error(err)
					return
				}
				want[i][res.ID] = n%2 == 0
			}
		})
	}
	got := map[wal.ID]bool{}
	revs := map[string]uint64{"shared.json": 1}
	for range writers * each {
		e := next()
		require.NotContains(t, got, e.ID)
		got[e.ID] = len(e.Files) == 2
		for _, f := range e.Files {
			name := filepath.Base(f.File)
			require.Equal(t, revs[name]+1, f.Rev, name)
			revs[name] = f.Rev
		}
	}
	wg.Wait()
	for _, ids := range want {
		for id, both := range ids {
			require.Contains(t, got, id)
			require.Equal(t, both, got[id], "a transaction of two files is one entry")
		}
	}
}

func TestWatchRecordsEditsFromOutside(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	id := set(t, s, "a.json", "/n", 1).ID
	next := watching(t, s, []string{"a.json"}, history.WatchOptions{Since: history.AtTx(id), Patches: true, Poll: 20 * time.Millisecond})
	write(t, a, `{"n":2}`)
	e := next()
	require.True(t, e.Foreign)
	require.Equal(t, uint64(2), e.Files[0].Rev)
	require.Contains(t, string(e.Files[0].Patch.Encode()), `"value":2`)
	require.False(t, verify(t, s)[0].Foreign)

	write(t, a, `{"n":`) // half of an edit is none yet
	go func() { write(t, a, `{"n":3}`) }()
	e = next()
	require.True(t, e.Foreign)
	require.Equal(t, uint64(3), e.Files[0].Rev)
	res := set(t, s, "a.json", "/n", 4)
	require.Equal(t, res.ID, next().ID)
}

func TestWatchResumes(t *testing.T) {
	s, _ := openStore(t)
	var ids []wal.ID
	for i := range 6 {
		ids = append(ids, set(t, s, []string{"a.json", "b.json"}[i%2], "/n", i).ID)
	}
	for i, id := range ids[:5] {
		next := watching(t, s, nil, history.WatchOptions{Since: history.AtTx(id)})
		for _, want := range ids[i+1:] {
			require.Equal(t, want, next().ID)
		}
	}
	next := watching(t, s, []string{"a.json", "b.json"}, history.WatchOptions{After: map[string]uint64{"a.json": 2, "b.json": 1}})
	for _, want := range ids[3:] {
		require.Equal(t, want, next().ID)
	}
	require.ErrorIs(t, watchError(s, history.WatchOptions{After: map[string]uint64{"a.json": 9}}), txn.ErrNotFound)
	require.ErrorIs(t, watchError(s, history.WatchOptions{Since: history.AtRev(1)}), txn.ErrInvalid)
	require.ErrorIs(t, watchError(s, history.WatchOptions{After: map[string]uint64{"typo.json": 1}}), txn.ErrNotFound, "else it would begin now, and miss what it was to begin with")
}

func watchError(s *txn.Store, o history.WatchOptions) error {
	for _, err := range history.Watch(context.Background(), s, nil, o) {
		return err
	}
	return nil
}

func TestWatchSaysThatHistoryWasDropped(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	set(t, s, "a.json", "/n", 0)
	for i := range 8 {
		_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
			return tx.Put("a.json", fmt.Appendf(nil, "{ \"n\" :\"%d%s\" }", i, strings.Repeat("long", 10_000))) // soon an image
		})
		require.NoError(t, err)
	}
	next := watching(t, s, nil, history.WatchOptions{After: map[string]uint64{"a.json": 7}})
	require.Equal(t, uint64(8), next().Files[0].Rev)
	done, err := admin.Compact(context.Background(), s, nil, admin.Retention{Revs: 2})
	require.NoError(t, err)
	require.Greater(t, done[0].Oldest, uint64(4))
	require.Equal(t, uint64(9), next().Files[0].Rev, "a cursor that is kept goes on")
	require.ErrorContains(t, watchError(s, history.WatchOptions{After: map[string]uint64{"a.json": 2}}), "not kept any more")
	require.ErrorContains(t, watchError(s, fromStart()), "not kept any more")
	require.FileExists(t, a)
}

func TestWatchSaysThatHistoryWasBegunAnew(t *testing.T) {
	for _, later := range []int{0, 1, 2, 3, 4, 20} {
		s, _ := openStore(t)
		for n := range 4 {
			set(t, s, "a.json", "/n", n)
		}
		next, stop := iter.Pull2(history.Watch(context.Background(), s, nil, history.WatchOptions{After: map[string]uint64{"a.json": 3}, Poll: time.Millisecond}))
		e, err, _ := next()
		require.NoError(t, err)
		require.Equal(t, uint64(4), e.Files[0].Rev)
		require.NoError(t, admin.Forget(context.Background(), s, "a.json"))
		for n := range later {
			set(t, s, "a.json", "/m", n)
		}
		_, err, _ = next()
		require.ErrorContains(t, err, "begun anew", "%d later commits", later)
		stop()
	}
}

// A journal that was set aside has a successor whose revisions go on.
func TestWatchGoesOnBehindASetAsideJournal(t *testing.T) {
	s, dir := openStore(t)
	for n := range 4 {
		set(t, s, "a.json", "/n", n)
	}
	next, stop := iter.Pull2(history.Watch(context.Background(), s, nil, history.WatchOptions{After: map[string]uint64{"a.json": 3}, Poll: time.Millisecond}))
	defer stop()
	e, err, _ := next()
	require.NoError(t, err)
	require.Equal(t, uint64(4), e.Files[0].Rev)
	journal := filepath.Join(dir, ".jtx", "files", "a.json", "00000000000000000001")
	text := []byte(read(t, journal))
	text[60] ^= 1
	write(t, journal, string(text))
	_, err = admin.SetAside(context.Background(), s, "a.json")
	require.NoError(t, err)
	set(t, s, "a.json", "/m", 1)
	for rev := uint64(5); rev <= 6; rev++ {
		e, err, _ = next()
		require.NoError(t, err)
		require.Equal(t, rev, e.Files[0].Rev)
	}
}

// TestWatchPassesOverWhatCantBeLookedAt: the others are followed; it joins when it can
// be looked at, from where the watch began.
func TestWatchPassesOverWhatCantBeLookedAt(t *testing.T) {
	dir := t.TempDir()
	var told []string
	s, err := txn.Open(dir, txn.Options{OnSkipped: func(err error) { told = append(told, err.Error()) }})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 1)
	set(t, s, "b.json", "/n", 1)
	name := filepath.Join(dir, "b.json")
	require.NoError(t, os.Remove(name))
	require.NoError(t, os.Mkdir(name, 0o755))

	next := watching(t, s, nil, fromStart())
	require.Equal(t, filepath.Join(dir, "a.json"), next().Files[0].File)
	res := set(t, s, "a.json", "/n", 2)
	require.Equal(t, res.ID, next().ID)
	require.Len(t, told, 1)
	require.Contains(t, told[0], "b.json")

	require.NoError(t, os.Remove(name))
	write(t, name, `{"n":1}`)
	for _, f := range []func(e history.Entry){
		func(e history.Entry) { require.Equal(t, uint64(1), e.Files[0].Rev) },
		func(e history.Entry) { require.True(t, e.Foreign) },
	} {
		e := next()
		require.Equal(t, name, e.Files[0].File)
		f(e)
	}

	strict, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	require.NoError(t, os.Remove(name))
	require.NoError(t, os.Mkdir(name, 0o755))
	require.ErrorContains(t, watchError(strict, fromStart()), "b.json", "nobody is there to be told")
}

func TestWatchWaitsForAFileThatIsNotThereYet(t *testing.T) {
	s, dir := openStore(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	began := make(chan struct{})
	go func() {
		<-began
		set(t, s, "a.json", "/n", 1)
		set(t, s, filepath.Join("sub", "x.json"), "/n", 1)
	}()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	close(began)
	n := 0
	stop := fmt.Errorf("enough")
	var last error
	for e, err := range history.Watch(ctx, s, []string{"a.json", "sub/x.json"}, fromStart()) {
		if last = err; err != nil {
			break
		}
		require.Equal(t, uint64(1), e.Files[0].Rev)
		if n++; n == 2 {
			cancel(stop)
		}
	}
	require.ErrorIs(t, last, stop)
}
