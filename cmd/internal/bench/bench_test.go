package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// The test binary is jtx under these names: an honest one, and one that does nothing.
const honest, idle = "jtx-honest", "jtx-idle"

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case idle:
	case honest:
		if err := verb(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// verb does what the races ask of jtx.
func verb(name string, words []string) error {
	if name == "version" {
		return nil
	}
	return txn.Do(words[:1], func(tx *txn.Tx) error {
		var n int
		if err := tx.Decode(words[0], "/n", &n); err != nil {
			return err
		}
		switch name {
		case "get":
			fmt.Println(n)
			return nil
		case "update":
			return tx.Set(words[0], "/n", n+1)
		case "set":
			if _, err := fmt.Sscan(words[2], &n); err != nil {
				return err
			}
			return tx.Set(words[0], "/n", n)
		}
		return errors.New("no such verb")
	})
}

func options(t *testing.T, arg0 string) Options {
	exe, err := os.Executable()
	require.NoError(t, err)
	return Options{Dir: t.TempDir(), Program: exe, Arg0: arg0, Time: time.Millisecond}
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestRun(t *testing.T) {
	o := options(t, honest)
	done := 0
	o.Progress = func(n, total int, _ string) {
		done++
		require.Equal(t, done, n)
		require.Len(t, steps(), total)
	}
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, steps(), done)
	syncs := map[string]float64{}
	for _, row := range r.Rows {
		require.Positive(t, row.PerSecond, row)
		require.Positive(t, row.P50, row)
		require.GreaterOrEqual(t, row.P99, row.P50, row)
		if row.Syncs != nil {
			syncs[row.Work+": "+row.With] = *row.Syncs
		}
	}
	require.EqualValues(t, 1, r.Rows[0].XRaw)
	require.Positive(t, syncs["a process sets a field, 1KB: jtx"])
	require.Positive(t, syncs["one writer, 1KB: jtx-full"])
	empty(t, o.Dir)
}

// A program that is fast because it does nothing must not win.
func TestRunFindsWhatIsLost(t *testing.T) {
	o := options(t, idle)
	_, err := Run(t.Context(), o)
	require.ErrorContains(t, err, "jtx: the number is  after")
	empty(t, o.Dir)
}

func TestOthersLoseNothing(t *testing.T) {
	for _, race := range Races() {
		laps, err := race.Run(t.Context(), t.TempDir(), Others(), func() func() bool {
			left := 1
			return func() bool { left--; return left >= 0 }
		}())
		require.NoError(t, err)
		for _, l := range laps {
			require.True(t, l.Installed())
			require.NotEmpty(t, l.Times, l.Name)
			require.Positive(t, l.Rate())
		}
	}
}

// A workspace that covers the directory must not hear of the files.
func TestRunInsideAWorkspace(t *testing.T) {
	o := options(t, honest)
	s, err := txn.Open(o.Dir, txn.Options{})
	require.NoError(t, err)
	_, _, err = s.Init(t.Context(), o.Dir)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int, _ string) {
		if done == 4 {
			cancel()
		}
	}
	_, err = Run(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	st, err := admin.Status(t.Context(), s, nil)
	require.NoError(t, err)
	require.Empty(t, st.Files)
	require.Len(t, st.Workspaces, 1)
}

func TestRunIsCancelled(t *testing.T) {
	o := options(t, honest)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int, _ string) {
		if done == 2 {
			cancel()
		}
	}
	_, err := Run(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	empty(t, o.Dir)
}

func TestRunWhereNothingCanBeMade(t *testing.T) {
	o := options(t, honest)
	o.Dir += "/nowhere"
	_, err := Run(t.Context(), o)
	require.ErrorIs(t, err, os.ErrNotExist)
}
