package txn_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// aheadEnv names the directory in which a process works whose clock is ten years ahead.
const aheadEnv = "JTX_TEST_AHEAD"

// TestClockAheadInAnotherProcess is that process.
func TestClockAheadInAnotherProcess(t *testing.T) {
	dir := os.Getenv(aheadEnv)
	if dir == "" {
		t.Skip("runs as the process of TestClockAhead")
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Unix(0, systemTime(t, dir)).AddDate(10, 0, 0)
		time.Sleep(time.Until(began))
		s, err := txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		set(t, s, "a.json", "/n", 2)
		_, err = s.Begin(context.Background(), []string{"b.json"}, txn.BeginOptions{Lock: true, TTL: time.Minute})
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}

// systemTime is the time by the system's clock, which a test's bubble doesn't change.
func systemTime(t *testing.T, dir string) int64 {
	name := filepath.Join(dir, "clock")
	write(t, name, "")
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.NoError(t, os.Remove(name))
	return info.ModTime().UnixNano()
}

// A clock that was ten years ahead for one process sends no lease and no open transaction
// into the future, and where times tell nothing any more that is said.
func TestClockAhead(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var marks []txn.Mark
	dir := t.TempDir()
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	write(t, filepath.Join(dir, "b.json"), `{"n":1}`)
	set(t, s, "a.json", "/n", 0)
	set(t, s, "b.json", "/n", 0)
	require.NoError(t, s.Close())

	cmd := exec.Command(os.Args[0], "-test.run=^TestClockAheadInAnotherProcess$")
	cmd.Env = append(os.Environ(), aheadEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	s, err = txn.Open(dir, txn.Options{OnMark: func(m txn.Mark) { marks = append(marks, m) }})
	require.NoError(t, err)
	list, err := s.OpenTxs(ctx, nil)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.True(t, list[0].Ahead)
	st, err := admin.Status(ctx, s, nil)
	require.NoError(t, err)
	for _, f := range st.Files {
		if l := f.Lock.Lease; l != nil {
			over, why := l.Broken(time.Now())
			require.False(t, over, why)
			over, _ = l.Broken(time.Now().Add(time.Hour))
			require.True(t, over, "%s", l)
		}
	}
	_, err = admin.Recover(ctx, s, []string{dir}, admin.RecoverOptions{})
	require.NoError(t, err)
	list, err = s.OpenTxs(ctx, nil)
	require.NoError(t, err)
	require.Len(t, list, 1, "nobody knows how old it is")
	require.False(t, list[0].Ahead)
	report, err := admin.Recover(ctx, s, []string{dir}, admin.RecoverOptions{TTL: time.Nanosecond})
	require.NoError(t, err)
	require.Len(t, report.Expired, 1)

	v, err := history.ReadVersion(ctx, s, "a.json", history.AtTime(time.Now()))
	require.NoError(t, err)
	require.EqualValues(t, 2, v.Rev)
	require.Len(t, marks, 1)
	require.Equal(t, txn.MarkAhead, marks[0].Kind)
	require.Contains(t, marks[0].String(), "@3 is dated 20")
	set(t, s, "a.json", "/n", 3)
	marks = nil
	v, err = history.ReadVersion(ctx, s, "a.json", history.AtTime(time.Now()))
	require.NoError(t, err)
	require.EqualValues(t, 4, v.Rev, "what is made by a clock that is right is found by its time")
	require.Empty(t, marks)
	_, err = history.ReadVersion(ctx, s, "b.json", history.AtTime(time.Now()))
	require.NoError(t, err)
	require.Empty(t, marks)
}

// clocked is a directory in which each step runs by a clock of its own.
type clocked struct {
	dir   string
	began time.Time
}

// at runs a step while the clock is so far from the beginning.
func (c *clocked) at(t *testing.T, ahead time.Duration, step func(t *testing.T, s *txn.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { // it begins in the year 2000
		time.Sleep(time.Until(c.began.Add(ahead)))
		s, err := txn.Open(c.dir, txn.Options{})
		require.NoError(t, err)
		step(t, s)
		require.NoError(t, s.Close())
	})
}

// numbers are the values at /n at a point, by file; 0 where there is no version.
func numbers(t *testing.T, s *txn.Store, p history.Point) map[string]int {
	list, err := history.ReadVersions(context.Background(), s, []string{"a.json", "b.json"}, p)
	require.NoError(t, err)
	got := map[string]int{}
	for _, v := range list {
		var doc struct{ N int }
		if v.Exists {
			require.NoError(t, json.Unmarshal(v.Data, &doc))
		}
		got[filepath.Base(v.File)] = doc.N
	}
	return got
}

// What is made by a clock that is right again is found by its time, also over several
// segments, several times ahead, and ahead by little; and no time shows a part of a unit.
func TestTimesWhereAClockWasAhead(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, ahead := range []time.Duration{90 * time.Minute, 10 * year} {
		c := clocked{t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		var both, right txn.Result
		change := func(n int) func(*testing.T, *txn.Store) {
			return func(t *testing.T, s *txn.Store) { right = set(t, s, "a.json", "/n", n) }
		}
		c.at(t, 0, func(t *testing.T, s *txn.Store) {
			set(t, s, "a.json", "/n", 1)
			set(t, s, "b.json", "/n", 1)
		})
		c.at(t, time.Hour, change(2))
		c.at(t, time.Hour+ahead, func(t *testing.T, s *txn.Store) {
			var err error
			both, err = s.Do(context.Background(), []string{"a.json", "b.json"}, func(tx *txn.Tx) error {
				return errors.Join(tx.Set("a.json", "/n", 3), tx.Set("b.json", "/n", 3))
			})
			require.NoError(t, err)
			for i := range 4 {
				set(t, s, "a.json", "/long", strings.Repeat(string(rune('a'+i)), 40_000))
			}
		})
		c.at(t, 2*time.Hour, change(4))
		first := right.ID
		c.at(t, 3*time.Hour, change(5))
		c.at(t, 3*time.Hour+2*ahead, change(6))
		c.at(t, 4*time.Hour, change(7))
		c.at(t, 5*time.Hour, func(t *testing.T, s *txn.Store) { set(t, s, "b.json", "/n", 9) })
		look := func(t *testing.T, s *txn.Store) {
			for at, want := range map[time.Duration][2]int{
				-time.Hour: {0, 0}, 30 * time.Minute: {1, 1}, 90 * time.Minute: {2, 1}, 2*time.Hour - 1: {2, 1},
				2*time.Hour + time.Minute: {4, 3}, 179 * time.Minute: {4, 3}, 3*time.Hour + time.Minute: {5, 3}, 4*time.Hour + time.Minute: {7, 3}, 5*time.Hour + time.Minute: {7, 9},
			} {
				require.Equal(t, map[string]int{"a.json": want[0], "b.json": want[1]}, numbers(t, s, history.AtTime(c.began.Add(at))), "%v ahead, at %v", ahead, at)
			}
			require.Equal(t, map[string]int{"a.json": 3, "b.json": 3}, numbers(t, s, history.AtTx(both.ID)))
			require.Equal(t, map[string]int{"a.json": 4, "b.json": 3}, numbers(t, s, history.AtTx(first)))
			var since []uint64
			for e, err := range history.Log(context.Background(), s, []string{"a.json"}, history.LogOptions{Since: history.AtTime(c.began.Add(150 * time.Minute))}) {
				require.NoError(t, err)
				since = append(since, e.Files[0].Rev)
			}
			require.Equal(t, []uint64{11, 10, 9}, since)
		}
		c.at(t, 6*time.Hour, look)
		c.at(t, 30*year, look) // all of it has been
	}
}

// A compaction writes no record: what comes behind it is found by its time all the same.
func TestTimesBehindACompactionWhereAClockWasAhead(t *testing.T) {
	const year = 365 * 24 * time.Hour
	c := clocked{t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	change := func(n int) func(*testing.T, *txn.Store) {
		return func(t *testing.T, s *txn.Store) { set(t, s, "a.json", "/n", n) }
	}
	c.at(t, -time.Hour, change(8))
	c.at(t, 0, change(1))
	c.at(t, 10*year, change(2))
	c.at(t, time.Hour, func(t *testing.T, s *txn.Store) {
		set(t, s, "b.json", "/n", 1)
		list, err := admin.Compact(context.Background(), s, []string{"a.json"}, admin.Retention{Revs: 2})
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
	c.at(t, 2*time.Hour, change(3))
	c.at(t, 4*time.Hour, change(4))
	c.at(t, 6*time.Hour, func(t *testing.T, s *txn.Store) {
		for at, want := range map[time.Duration]int{90 * time.Minute: 1, 3 * time.Hour: 3, 5 * time.Hour: 4} {
			require.Equal(t, map[string]int{"a.json": want, "b.json": 1}, numbers(t, s, history.AtTime(c.began.Add(at))), "at %v", at)
		}
	})
}

// A clock that was not set yet puts nothing before what was made by clocks that were, and
// takes nothing from what retention keeps.
func TestTimesWhereAClockWasNotSet(t *testing.T) {
	c := clocked{t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	change := func(n int) func(*testing.T, *txn.Store) {
		return func(t *testing.T, s *txn.Store) { set(t, s, "a.json", "/n", n) }
	}
	c.at(t, 0, func(t *testing.T, s *txn.Store) { set(t, s, "b.json", "/n", 1) })
	c.at(t, time.Hour, change(1))
	c.at(t, 3*time.Hour, change(2))
	synctest.Test(t, func(t *testing.T) { // in the year 2000
		s, err := txn.Open(c.dir, txn.Options{})
		require.NoError(t, err)
		set(t, s, "a.json", "/n", 3)
		require.NoError(t, s.Close())
	})
	c.at(t, 5*time.Hour, change(4))
	c.at(t, 6*time.Hour, func(t *testing.T, s *txn.Store) {
		list, err := admin.Compact(context.Background(), s, []string{"a.json"}, admin.Retention{Age: 5 * time.Hour})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.EqualValues(t, 1, list[0].Oldest)
		for at, want := range map[time.Duration]int{30 * time.Minute: 0, 2 * time.Hour: 1, 4 * time.Hour: 3, 6 * time.Hour: 4} {
			require.Equal(t, map[string]int{"a.json": want, "b.json": 1}, numbers(t, s, history.AtTime(c.began.Add(at))), "at %v", at)
		}
	})
}
