package txn_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
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

	set(t, s, "a.json", "/n", 3)
	marks = nil
	v, err := history.ReadVersion(ctx, s, "a.json", history.AtTime(time.Now()))
	require.NoError(t, err)
	require.EqualValues(t, 2, v.Rev)
	require.Len(t, marks, 1)
	require.Equal(t, txn.MarkAhead, marks[0].Kind)
	require.Contains(t, marks[0].String(), "@4 is dated 20")
	marks = nil
	_, err = history.ReadVersion(ctx, s, "b.json", history.AtTime(time.Now()))
	require.NoError(t, err)
	require.Empty(t, marks)
}
