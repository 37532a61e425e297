package lockmgr

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func keep(t *testing.T, path string) *player {
	t.Helper()
	p := play(t, role{Name: "keep", Paths: []string{path}, Mode: Exclusive, Timeout: long,
		Lease: Lease{Tx: "T1", Expires: time.Now().Add(time.Hour)}})
	require.Equal(t, "held", p.line(t))
	return p
}

// A lease that is kept ends with its process, also for those to whom the pid says nothing.
func TestKeptLeaseEndsWithItsProcess(t *testing.T) {
	path := lockPath(t)
	p := keep(t, path)
	l, ok, err := readLeaseFile(path)
	require.NoError(t, err)
	require.True(t, ok)
	l.Owner.PIDNS, l.Owner.PID = "pid:[1]", 1<<30
	require.NoError(t, writeLeaseFile(path, l))
	require.Equal(t, Unknown, l.Owner.Alive())

	broken, why := l.Broken(time.Now())
	require.False(t, broken, why)
	require.ErrorIs(t, try(New(), one(Exclusive, path)), ErrTimeout)
	p.kill(t)
	broken, why = l.Broken(time.Now())
	require.True(t, broken)
	require.Contains(t, why, "dead")
	require.NoError(t, try(New(), one(Exclusive, path)))
	require.NoFileExists(t, keeperPath(path))
}

// What an earlier keeper has left, dead or alive, is nothing to the next one.
func TestKeeperAfterKeeper(t *testing.T) {
	path := lockPath(t)
	first := keep(t, path)
	require.NoError(t, New().BreakLease(t.Context(), long, Request{Path: path}, "T1"))
	h := acquire(t, New(), as("T2", one(Exclusive, path)))
	l, keeper, err := h.Keep(path, Lease{Tx: "T2", Expires: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.NoError(t, h.Release())
	first.kill(t)
	broken, why := l.Broken(time.Now())
	require.False(t, broken, why)
	require.NoError(t, keeper.Close())
	broken, _ = l.Broken(time.Now())
	require.True(t, broken)
}

func TestKeepNeedsTheLock(t *testing.T) {
	path := lockPath(t)
	h := acquire(t, New(), one(Shared, path))
	defer h.Release()
	_, _, err := h.Keep(path, Lease{Tx: "T1", Expires: time.Now().Add(time.Hour)})
	require.ErrorIs(t, err, ErrNotHeld)
}

// A clock that was wrong when a lease was granted, or is now, moves its end nowhere.
func TestClockThatWasSet(t *testing.T) {
	up, ok := uptime()
	if !ok {
		t.Skip("no other clock here")
	}
	now := time.Now()
	for _, ahead := range []time.Duration{10 * 365 * 24 * time.Hour, -time.Hour} {
		l := Lease{Tx: "T", Boot: Self().Boot, Uptime: up - time.Second, Granted: now.Add(ahead), Expires: now.Add(ahead + time.Minute)}
		l.setRight(now)
		require.WithinDuration(t, now.Add(59*time.Second), l.Expires, 10*time.Second)
		broken, why := l.Broken(now)
		require.False(t, broken, why)
		broken, _ = l.Broken(now.Add(2 * time.Minute))
		require.True(t, broken)
	}
	l := Lease{Tx: "T", Boot: "earlier", Uptime: 1, Granted: now.AddDate(10, 0, 0), Expires: now.AddDate(10, 0, 1)}
	l.setRight(now)
	broken, why := l.Broken(now)
	require.True(t, broken)
	require.Contains(t, why, "a clock was ahead")
}

func TestSuspendedIsSaid(t *testing.T) {
	stop := func(p *player) {
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGSTOP))
		eventually(t, "it is stopped", func() bool { return isStopped(p.pid()) })
	}
	path := lockPath(t)
	p := hold(t, Exclusive, path)
	err := try(New(), one(Exclusive, path))
	require.ErrorIs(t, err, ErrTimeout)
	require.NotContains(t, err.Error(), "suspended")
	stop(p)
	require.ErrorContains(t, try(New(), one(Exclusive, path)), ", suspended")
	p.kill(t)

	path = lockPath(t)
	p = keep(t, path)
	stop(p)
	require.ErrorContains(t, try(New(), one(Exclusive, path)), ", suspended until ")
	p.kill(t)
}
