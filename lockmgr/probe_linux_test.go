package lockmgr

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProbe(t *testing.T) {
	path := lockPath(t)
	m := New()
	s, err := m.Probe(path)
	require.NoError(t, err)
	require.Equal(t, Status{}, s)
	require.NoFileExists(t, path, "looking creates nothing")

	h := acquire(t, m, one(Exclusive, path))
	stamped(t, path)
	s, err = m.Probe(path)
	require.NoError(t, err)
	require.Equal(t, HeldExclusive, s.State)
	require.Len(t, s.Holders, 1)
	require.Equal(t, os.Getpid(), s.Holders[0].PID)
	require.False(t, s.Holders[0].Since.IsZero())
	require.NoError(t, h.Release())

	s, err = m.Probe(path)
	require.NoError(t, err)
	require.Equal(t, Status{}, s, "the text of a past holder says nothing")
}

func TestProbeListsHoldersAndWaiters(t *testing.T) {
	path := lockPath(t)
	readers := []*player{hold(t, Shared, path), hold(t, Shared, path)}
	var writers []*player
	m := New()
	var s Status
	for i := range 3 {
		writers = append(writers, play(t, role{Name: "hold", Paths: []string{path}, Mode: Exclusive, Timeout: long}))
		eventually(t, "it waits", func() bool {
			var err error
			s, err = m.Probe(path)
			return err == nil && len(s.Waiters) == i+1 && len(s.Holders) == len(readers)
		})
	}
	// The kernel's list is not read at one moment: another look may miss one.
	require.Equal(t, HeldShared, s.State)
	require.ElementsMatch(t, pids(readers), holderPIDs(s.Holders))
	require.ElementsMatch(t, pids(writers), holderPIDs(s.Waiters))
	for _, h := range append(s.Holders, s.Waiters...) {
		require.Equal(t, filepath.Base(os.Args[0]), h.Command)
		require.WithinDuration(t, time.Now(), h.Started, time.Hour)
		require.True(t, h.Since.IsZero(), "nobody knows")
	}
}

func TestProbeShowsTheLease(t *testing.T) {
	path := lockPath(t)
	l := leased(t, path, Lease{Tx: "T1"})
	s, err := New().Probe(path)
	require.NoError(t, err)
	require.Equal(t, Free, s.State)
	require.Equal(t, l.Token, s.Lease.Token)
}

// In a container, the kernel doesn't show who holds the lock outside. The lock
// is asked instead, and the text believed, since the holder can't be looked up.
func TestProbeFromAnotherPidNamespace(t *testing.T) {
	inside := []string{"unshare", "--pid", "--fork", "--mount-proc"}
	if exec.Command(inside[0], append(inside[1:], "true")...).Run() != nil {
		t.Skip("no pid namespaces for this user")
	}
	path := lockPath(t)
	look := func() string {
		r := role{Name: "probe", Paths: []string{path}, Mode: Exclusive}
		return playUnder(t, r, append(inside, os.Args[0])...).finish(t)
	}
	h := acquire(t, New(), one(Exclusive, path))
	require.Contains(t, look(), "exclusive ", "though there may be no text yet")
	stamped(t, path)
	got := look()
	require.Contains(t, got, "exclusive 1 ")
	require.Contains(t, got, fmt.Sprintf("is locked by pid %d", os.Getpid()))
	require.NoError(t, h.Release())
	require.Equal(t, "free 0 <nil>", look())
}

// The holder may have gone between the end of a wait and the look at it. The one
// that had the lock last is named if it still runs.
func TestCurrentHolder(t *testing.T) {
	path := lockPath(t)
	m := New()
	_, known := m.currentHolder(path)
	require.False(t, known)
	held := acquire(t, m, one(Exclusive, path))
	held.stampNow()
	require.NoError(t, held.Release())
	h, known := m.currentHolder(path)
	require.True(t, known)
	require.Equal(t, os.Getpid(), h.PID)
	p := hold(t, Exclusive, path)
	eventually(t, "the other's text", func() bool {
		h, ok, err := ReadHolder(path)
		return err == nil && ok && h.PID == p.pid()
	})
	p.finish(t)
	_, known = m.currentHolder(path)
	require.False(t, known)
}

// Where the kernel doesn't show the holder, the lock itself is asked.
func TestTryState(t *testing.T) {
	path := lockPath(t)
	for _, c := range []struct {
		mode Mode
		want State
	}{{Shared, HeldShared}, {Exclusive, HeldExclusive}} {
		h := acquire(t, New(), one(c.mode, path))
		s, err := tryState(path)
		require.NoError(t, err)
		require.Equal(t, c.want, s)
		require.NoError(t, h.Release())
	}
	s, err := tryState(path)
	require.NoError(t, err)
	require.Equal(t, Free, s)
}

func TestParseLock(t *testing.T) {
	const id = "08:01:5678"
	for _, c := range []struct {
		line string
		want kernelLock
		ok   bool
	}{
		{"1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF\n", kernelLock{1234, Exclusive, false}, true},
		{"1: -> FLOCK  ADVISORY  READ 99 08:01:5678 0 EOF\n", kernelLock{99, Shared, true}, true},
		{"2: FLOCK  ADVISORY  WRITE 1234 08:01:56780 0 EOF\n", kernelLock{}, false},
		{"3: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF\n", kernelLock{}, false},
		{"4: LEASE  ACTIVE    READ 1234 08:01:5678 0 EOF\n", kernelLock{}, false},
		{"5: FLOCK  ADVISORY  WRITE -1 08:01:5678 0 EOF\n", kernelLock{}, false},
		{"", kernelLock{}, false},
	} {
		got, ok := parseLock(c.line, id)
		require.Equal(t, c.ok, ok, c.line)
		if ok {
			require.Equal(t, c.want, got, c.line)
		}
	}
}

func pids(players []*player) []int {
	var list []int
	for _, p := range players {
		list = append(list, p.pid())
	}
	return list
}

func holderPIDs(holders []Holder) []int {
	var list []int
	for _, h := range holders {
		list = append(list, h.PID)
	}
	return list
}

func TestProbeShowsWhoWaitsForALease(t *testing.T) {
	path := lockPath(t)
	leased(t, path, Lease{Tx: "T1"})
	waiting := func() []Holder {
		s, err := New().Probe(path)
		require.NoError(t, err)
		return s.Waiters
	}
	require.Empty(t, waiting())
	p := play(t, role{Name: "hold", Paths: []string{path}, Mode: Exclusive, Timeout: time.Minute})
	eventually(t, "the process that waits is seen", func() bool { return len(waiting()) == 1 })
	require.Equal(t, p.pid(), waiting()[0].PID)
	require.NoError(t, New().BreakLease(context.Background(), time.Minute, Request{Path: path}, "T1"))
	require.Equal(t, "held", p.line(t))
	require.Empty(t, waiting())
}

// They are refused at once, also where the open would wait for ever.
func TestNotARegularFile(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"fifo": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"dir":  func(path string) error { return os.Mkdir(path, 0o700) },
		"link": func(path string) error { return os.Symlink("elsewhere", path) },
	} {
		path := lockPath(t)
		require.NoError(t, make(path))
		for _, mode := range []Mode{Shared, Exclusive} {
			require.ErrorIs(t, try(New(), one(mode, path)), ErrNotRegular, name)
		}
	}
}
