package lockmgr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The race detector would see two goroutines of one manager in it at a time.
func TestExclusionOfGoroutines(t *testing.T) {
	path := lockPath(t)
	m := New()
	sum := 0
	crowd(t, 8, 50, path, func(int) *Manager { return m }, func() { sum++ })
	require.Equal(t, 400, sum)
	require.True(t, idle(m))
}

func TestExclusionOfManagers(t *testing.T) {
	path := lockPath(t)
	var inside, sum atomic.Int32
	managers := []*Manager{New(), New(), New()}
	crowd(t, 9, 30, path, func(i int) *Manager { return managers[i%3] }, func() {
		if inside.Add(1) != 1 {
			t.Error("two are inside")
		}
		sum.Add(1)
		inside.Add(-1)
	})
	require.EqualValues(t, 270, sum.Load())
}

// crowd has n goroutines do something so many times each under the lock.
func crowd(t *testing.T, n, times int, path string, manager func(int) *Manager, do func()) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			for range times {
				h, err := manager(i).Acquire(context.Background(), long, one(Exclusive, path))
				if err != nil {
					t.Error(err)
					return
				}
				do()
				_ = h.Release()
			}
		})
	}
	wg.Wait()
}

func TestModes(t *testing.T) {
	for _, c := range []struct {
		held, wanted Mode
		ok           bool
	}{
		{Shared, Shared, true},
		{Shared, Exclusive, false},
		{Exclusive, Shared, false},
		{Exclusive, Exclusive, false},
	} {
		t.Run(fmt.Sprintf("%s-then-%s", c.held, c.wanted), func(t *testing.T) {
			path := lockPath(t)
			m := New()
			h := acquire(t, m, one(c.held, path))
			for _, other := range []*Manager{m, New()} {
				err := try(other, one(c.wanted, path))
				if c.ok {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, ErrTimeout)
				}
			}
			require.NoError(t, h.Release())
			require.NoError(t, h.Release(), "release is idempotent")
			require.NoError(t, try(m, one(c.wanted, path)))
			require.True(t, idle(m))
		})
	}
}

func TestNoRequests(t *testing.T) {
	h := acquire(t, New(), nil)
	require.NoError(t, h.Release())
}

func TestDuplicatesMergeToTheStrongestMode(t *testing.T) {
	path := lockPath(t)
	h := acquire(t, New(), append(one(Shared, path), one(Exclusive, path)...))
	require.ErrorIs(t, try(New(), one(Shared, path)), ErrTimeout)
	require.NoError(t, h.Release())
}

func TestMergeSortsByOrder(t *testing.T) {
	var got []string
	for _, r := range merge([]Request{{Order: "w2\x00a", Path: "1"}, {Order: "w1\x00b", Path: "2"}, {Order: "w1\x00a", Path: "3"}, {Order: "w0", Path: "1"}}) {
		got = append(got, r.Order)
	}
	require.Equal(t, []string{"w0", "w1\x00a", "w1\x00b"}, got)
}

// All or none: what was got before the lock that can't be had is given back.
func TestAllOrNone(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	m := New()
	h := acquire(t, m, one(Exclusive, b))
	require.ErrorIs(t, try(m, append(one(Exclusive, a), one(Exclusive, b)...)), ErrTimeout)
	require.NoError(t, try(New(), one(Exclusive, a)))
	require.NoError(t, h.Release())
	require.True(t, idle(m))
}

func TestMissingDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gone", "lock")
	for _, mode := range []Mode{Shared, Exclusive} {
		err := try(New(), one(mode, path))
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, "config.json")
	}
}

func TestSymlinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o600))
	path := filepath.Join(dir, "lock")
	require.NoError(t, os.Symlink(victim, path))
	require.Error(t, try(New(), one(Exclusive, path)))
	raw, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "precious", string(raw))
}

func TestRemovedLockFileIsMadeAgain(t *testing.T) {
	path := lockPath(t)
	m := New()
	h := acquire(t, m, one(Exclusive, path))
	require.NoError(t, os.Remove(path))
	require.NoError(t, try(New(), one(Exclusive, path)))
	require.NoError(t, h.Release())
}

func TestHolderText(t *testing.T) {
	path := lockPath(t)
	before := time.Now().Add(-time.Second)
	h := acquire(t, New(), one(Exclusive, path))
	after := time.Now()
	stamped(t, path)
	got, _, err := ReadHolder(path)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), got.PID)
	require.False(t, got.Since.After(after), "since it has the lock, not since the text is there")
	require.Equal(t, Exclusive, got.Mode)
	require.True(t, got.Since.After(before))
	require.Contains(t, got.Command, filepath.Base(os.Args[0]))
	host, _ := os.Hostname()
	require.Equal(t, clip(host, maxHost), got.Host)
	require.NoError(t, h.Release())

	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, raw, FileSize)
	require.True(t, strings.HasSuffix(string(raw[:textSize]), " \n"))
}

// A holder that is gone at once leaves the file as it was: readers look at its times.
// One that had to wait does not, and none where only the text can tell who it is.
func TestWhenTheTextIsLeft(t *testing.T) {
	path := lockPath(t)
	require.NoError(t, try(New(), one(Exclusive, path)))
	before, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, try(New(), one(Exclusive, path)))
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, before.ModTime(), after.ModTime())
	_, ok, err := ReadHolder(path)
	require.NoError(t, err)
	require.False(t, ok)

	tells := kernelTells
	defer func() { kernelTells = tells }()
	kernelTells = func() bool { return false }
	require.NoError(t, try(New(), one(Exclusive, path)))
	_, ok, err = ReadHolder(path)
	require.NoError(t, err)
	require.True(t, ok)

	kernelTells = func() bool { return true }
	other := lockPath(t)
	p := hold(t, Shared, other)
	got := make(chan error, 1)
	m := New()
	go func() {
		h, err := m.Acquire(context.Background(), long, one(Exclusive, other))
		if err == nil {
			if _, ok, _ := ReadHolder(other); !ok {
				err = errors.New("no text though it had to wait")
			}
			err = errors.Join(err, h.Release())
		}
		got <- err
	}()
	eventually(t, "it waits", func() bool {
		s, err := m.Probe(other)
		return err == nil && len(s.Waiters) > 0
	})
	p.finish(t)
	require.NoError(t, <-got)
}

// What the holder keeps behind the text is not touched by anybody's waiting.
func TestTheRestOfTheFileIsTheHolders(t *testing.T) {
	path := lockPath(t)
	h := acquire(t, New(), one(Exclusive, path))
	rest := strings.Repeat("x", FileSize-textSize)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(rest), textSize)
	require.NoError(t, errors.Join(err, f.Close()))
	p := play(t, role{Name: "hold", Paths: []string{path}, Mode: Exclusive, Timeout: long})
	eventually(t, "somebody waits", h.Wanted)
	require.NoError(t, h.Release())
	require.Equal(t, "held", p.line(t))
	stamped(t, path)
	p.finish(t)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, raw, FileSize)
	require.Equal(t, rest, string(raw[textSize:]))
}

func TestNoHolderText(t *testing.T) {
	path := lockPath(t)
	reqs := one(Exclusive, path)
	reqs[0].NoHolder = true
	require.NoError(t, try(New(), reqs))
	require.NoError(t, try(New(), one(Shared, path)))
	_, ok, err := ReadHolder(path)
	require.NoError(t, err)
	require.False(t, ok)
}

func TestSetCommand(t *testing.T) {
	defer own.Store(nil)
	path := lockPath(t)
	for _, c := range []string{"jtx set config.json", strings.Repeat("ü", 200), strings.Repeat("\x01", 500), `a "b" \`} {
		SetCommand(c)
		h := acquire(t, New(), one(Exclusive, path))
		h.stampNow()
		require.NoError(t, h.Release())
		got, ok, err := ReadHolder(path)
		require.NoError(t, err)
		require.True(t, ok)
		require.LessOrEqual(t, len(got.Command), maxCommand)
		require.True(t, strings.HasPrefix(c, got.Command))
	}
}

// A value on the command line may be a secret and must not stay on disk.
func TestCommandOfHoldsNoValues(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"/usr/bin/jtx", "set", "f.json", "/key", `"s3cret"`}, "jtx set"},
		{[]string{"jtx", "--quiet", "begin", "--lock"}, "jtx begin"},
		{[]string{"tool", `{"key":"s3cret"}`}, "tool"},
		{[]string{"tool", "-p"}, "tool"},
		{nil, ""},
	} {
		require.Equal(t, c.want, commandOf(c.args))
	}
}

// A lock that one of several requests asks to tell the holder of is told.
func TestMergedRequestsTellTheHolder(t *testing.T) {
	quiet, told := Request{Path: "a", Mode: Exclusive, NoHolder: true}, Request{Path: "a", Mode: Shared}
	require.True(t, merge([]Request{quiet, quiet})[0].NoHolder)
	for _, reqs := range [][]Request{{quiet, told}, {told, quiet}} {
		merged := merge(reqs)
		require.Len(t, merged, 1)
		require.False(t, merged[0].NoHolder)
		require.Equal(t, Exclusive, merged[0].Mode)
	}
}
