package txn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/hooks"
	"github.com/jtx-project/jtx/wal/fsys"
)

// long is a delay that no passing test waits for.
const long = time.Hour

// behindTest is a write-behind store whose file is tracked, and whose sessions stay
// parked until somebody wants their locks.
func behindTest(t *testing.T, o Options) (*Store, string) {
	t.Helper()
	if o.WriteBehind.Delay == 0 {
		o.WriteBehind.Delay = long
	}
	old := parkTime
	parkTime = long
	t.Cleanup(func() { parkTime = old })
	s, file := groupTest(t, o)
	do(t, s, setting(file, "/n", 1), file)
	return s, file
}

func do(t *testing.T, s *Store, fn func(*Tx) error, files ...string) Result {
	t.Helper()
	res, err := s.Do(context.Background(), files, fn)
	require.NoError(t, err)
	require.Empty(t, res.Warnings)
	return res
}

func valueAt(t *testing.T, s *Store, file, ptr string) (text string) {
	t.Helper()
	require.NoError(t, s.View(context.Background(), []string{file}, func(tx *Tx) error {
		v, err := tx.Get(file, ptr)
		text = string(v)
		return err
	}))
	return text
}

// another is a store of its own, as another process would have.
func another(t *testing.T, s *Store) *Store {
	t.Helper()
	o, err := Open(s.src.Dir, Options{Actor: "other"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	return o
}

func TestBehindAcknowledgesBeforeTheFile(t *testing.T) {
	s, file := behindTest(t, Options{})
	for i := range 3 {
		res := do(t, s, setting(file, "/n", i+2), file)
		require.EqualValues(t, i+3, res.Files[0].Rev)
		require.Equal(t, "{\"n\": 1}\n", content(t, file), "it is behind")
		require.Equal(t, fmt.Sprint(i+2), valueAt(t, s, file, "/n"), "a view of the store isn't")
	}
	require.NoError(t, s.Flush(context.Background()))
	require.Equal(t, "{\"n\": 4}\n", content(t, file))
	require.NoError(t, s.Flush(context.Background()), "nothing lags any more")
}

// Others see each acknowledged commit: they carry the file forward, or have it done.
func TestBehindIsSeenByOthers(t *testing.T) {
	for name, look := range map[string]func(t *testing.T, o *Store, file string){
		"view":    func(t *testing.T, o *Store, file string) { require.Equal(t, "2", valueAt(t, o, file, "/n")) },
		"do":      func(t *testing.T, o *Store, file string) { do(t, o, setting(file, "/m", 1), file) },
		"history": func(t *testing.T, o *Store, file string) { require.Len(t, entries(t, o, file), 3) },
		"sweep": func(t *testing.T, o *Store, file string) {
			require.NoError(t, TestRooms.Recover(o, file))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, file := behindTest(t, Options{})
			do(t, s, setting(file, "/n", 2), file)
			o := another(t, s)
			look(t, o, file)
			require.Contains(t, content(t, file), `"n": 2`)
			require.Equal(t, "2", valueAt(t, s, file, "/n"))
			do(t, s, setting(file, "/k", 3), file)
			require.Equal(t, "3", valueAt(t, o, file, "/k"))
		})
	}
}

func entries(t *testing.T, s *Store, file string) []Logged {
	t.Helper()
	list, err := TestRooms.Log(s, file)
	require.NoError(t, err)
	return list
}

func TestBehindFollowsByItself(t *testing.T) {
	s, file := behindTest(t, Options{})
	parkTime = time.Millisecond
	do(t, s, setting(file, "/n", 2), file)
	require.Eventually(t, func() bool { return content(t, file) == "{\"n\": 2}\n" }, time.Minute, time.Millisecond)
}

// While transactions keep coming the file follows too.
func TestBehindFollowsBusyWriters(t *testing.T) {
	s, file := behindTest(t, Options{WriteBehind: WriteBehind{Delay: 5 * time.Millisecond}})
	begun := content(t, file)
	for i := 0; content(t, file) == begun; i++ {
		do(t, s, setting(file, "/n", i+2), file)
	}
	require.Zero(t, s.lagging.bytes)
}

// Also where the clock was set back, so that the journal's times are ahead of it.
func TestBehindFollowsThoughTheClockWasSetBack(t *testing.T) {
	s, file := groupTest(t, Options{})
	do(t, s, setting(file, "/n", 1), file)
	require.NoError(t, s.Close())
	synctest.Test(t, func(t *testing.T) { // it begins in the year 2000
		s, err := Open(s.src.Dir, Options{WriteBehind: WriteBehind{Delay: 10 * parkTime}})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		for i := range 50 {
			do(t, s, setting(file, "/n", i+2), file)
			time.Sleep(parkTime / 2)
		}
		require.NotEqual(t, "{\"n\": 1}\n", content(t, file))
	})
}

func TestBehindIsBounded(t *testing.T) {
	s, file := behindTest(t, Options{WriteBehind: WriteBehind{Bytes: 8}})
	do(t, s, setting(file, "/n", 2), file)
	require.Equal(t, "{\"n\": 2}\n", content(t, file), "9 bytes are over the bound")
}

func TestBehindUnitsOfSeveralFiles(t *testing.T) {
	s, file := behindTest(t, Options{})
	other := filepath.Join(filepath.Dir(file), "b.json")
	both := func(n int) func(*Tx) error {
		return func(tx *Tx) error { return errors.Join(tx.Set(file, "/n", n), tx.Set(other, "/n", n)) }
	}
	do(t, s, both(2), file, other)
	require.Contains(t, content(t, other), `"n": 2`, "what makes a file is not behind")
	do(t, s, both(3), file, other)
	require.Contains(t, content(t, other), `"n": 2`)
	require.NoError(t, s.View(context.Background(), []string{other, file}, func(tx *Tx) error {
		var a, b int
		err := errors.Join(tx.Decode(file, "/n", &a), tx.Decode(other, "/n", &b))
		require.Equal(t, []int{3, 3}, []int{a, b})
		return err
	}))
	// One of the files in another company: the unit is carried forward whole.
	do(t, s, setting(other, "/k", 1), other)
	require.Equal(t, "{\"n\": 3}\n", content(t, file))
	require.Contains(t, content(t, other), `"n": 3`)
	require.Equal(t, "1", valueAt(t, s, other, "/k"))
	do(t, s, func(tx *Tx) error { return tx.Remove(other) }, file, other)
	require.NoFileExists(t, other)
}

func TestBehindKeepsForeignEdits(t *testing.T) {
	s, file := behindTest(t, Options{})
	do(t, s, setting(file, "/m", 1), file)
	do(t, s, setting(file, "/m", 2), file)
	require.NoError(t, os.WriteFile(file, []byte("{\"n\": 5}\n"), 0o644)) // made of {"n": 1}
	require.Equal(t, "2", valueAt(t, s, file, "/m"))
	require.Equal(t, "5", valueAt(t, s, file, "/n"))
	require.NoError(t, s.Flush(context.Background()))
	require.Equal(t, "{\"n\": 5,\"m\": 2}\n", strings.ReplaceAll(content(t, file), ", ", ","))
}

// An edit of a place that was changed too is a version that is past, and reported.
func TestBehindRecordsClashingEdits(t *testing.T) {
	s, file := behindTest(t, Options{})
	do(t, s, setting(file, "/n", 2), file)
	const edit = "{\"n\": 3}\n"
	require.NoError(t, os.WriteFile(file, []byte(edit), 0o644))
	var report []recovery.Done
	res, err := s.Do(context.Background(), []string{file}, setting(file, "/k", 1))
	require.NoError(t, err)
	report = res.Recovered
	require.NotEmpty(t, report)
	require.NotEmpty(t, report[0].Clash)
	require.Equal(t, edit, revisionOf(t, s, file, report[0].EditRev()))
	require.Equal(t, "2", valueAt(t, s, file, "/n"))
}

// Where there is no Result to tell it, the store's owner is told.
func TestBehindTellsOfClashesThatAFlushFinds(t *testing.T) {
	var told []recovery.Done
	s, file := behindTest(t, Options{OnRecovery: func(d []recovery.Done) { told = append(told, d...) }})
	do(t, s, setting(file, "/n", 2), file)
	const edit = "{\"n\": 3}\n"
	require.NoError(t, os.WriteFile(file, []byte(edit), 0o644))
	require.NoError(t, s.Flush(context.Background()))
	require.Len(t, told, 1)
	require.NotEmpty(t, told[0].Clash)
	require.Equal(t, edit, revisionOf(t, s, file, told[0].EditRev()))
	require.Equal(t, "{\"n\": 2}\n", content(t, file))
}

func revisionOf(t *testing.T, s *Store, file string, rev uint64) string {
	text, err := TestRooms.Version(s, file, rev)
	require.NoError(t, err)
	return text
}

func TestBehindDeletionIsAdopted(t *testing.T) {
	s, file := behindTest(t, Options{})
	do(t, s, setting(file, "/n", 2), file)
	require.NoError(t, os.Remove(file))
	err := s.View(context.Background(), []string{file}, func(tx *Tx) error { _, err := tx.Get(file, "/n"); return err })
	require.ErrorIs(t, err, ErrNotFound)
	require.Equal(t, "{\"n\": 2}\n", revisionOf(t, s, file, 3))
}

// A file that can't be replaced lags, and is told of; nothing is lost.
func TestBehindOutlivesAFullDisk(t *testing.T) {
	var mu sync.Mutex
	full := false
	fsy := &stageFS{FS: fsys.OS, fails: func() bool { mu.Lock(); defer mu.Unlock(); return full }}
	set := func(v bool) { mu.Lock(); defer mu.Unlock(); full = v }
	s, file := behindTest(t, Options{hooks: hooks.Hooks{FS: fsy}})
	do(t, s, setting(file, "/n", 2), file)
	set(true)
	err := s.Flush(context.Background())
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Equal(t, "{\"n\": 1}\n", content(t, file))
	require.Equal(t, "2", valueAt(t, s, file, "/n"), "from the journal")
	set(false)
	require.NoError(t, s.Flush(context.Background()))
	require.Equal(t, "{\"n\": 2}\n", content(t, file))
}

func TestCloseCarriesForward(t *testing.T) {
	s, file := behindTest(t, Options{})
	do(t, s, setting(file, "/n", 2), file)
	require.NoError(t, s.Close())
	require.Equal(t, "{\"n\": 2}\n", content(t, file))
	_, err := s.Do(context.Background(), []string{file}, setting(file, "/n", 3))
	require.ErrorIs(t, err, ErrClosed)
	require.NoError(t, s.Close())
}

// A file that can't follow at once is no failure of the transaction, which is
// committed: it is not run again, and neither are those that were committed with it.
func TestBehindCommitsOnce(t *testing.T) {
	edited := []byte("{\"n\": 1, \"m\": 1}\n")
	for name, full := range map[string]func(t *testing.T, file string) bool{
		"full disk": func(*testing.T, string) bool { return true },
		"edited in place": func(t *testing.T, file string) bool {
			require.NoError(t, os.WriteFile(file, edited, 0o644))
			return false
		},
		"edited by rename": func(t *testing.T, file string) bool {
			require.NoError(t, os.WriteFile(file+".swp", edited, 0o644))
			require.NoError(t, os.Rename(file+".swp", file))
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			var file string
			armed := false
			fsy := &stageFS{FS: fsys.OS, fails: func() bool {
				met := armed
				armed = false
				return met && full(t, file)
			}}
			s, f := behindTest(t, Options{WriteBehind: WriteBehind{Delay: time.Nanosecond}, hooks: hooks.Hooks{FS: fsy}})
			file = f
			got := asGroup(t, s, file, func(*Tx) error { armed = true; return nil }, increment(file), increment(file), increment(file))
			for _, o := range got {
				require.NoError(t, o.err)
			}
			require.NoError(t, s.Flush(context.Background()))
			require.Equal(t, "4", valueAt(t, s, file, "/n"))
			require.Contains(t, content(t, file), `"n": 4`)
		})
	}
}
