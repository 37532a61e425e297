package lockmgr

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// leased grants a lease to tx and gives the lock back.
func leased(t *testing.T, path string, l Lease) Lease {
	t.Helper()
	reqs := one(Exclusive, path)
	reqs[0].Tx = l.Tx
	h := acquire(t, New(), reqs)
	if l.Expires.IsZero() {
		l.Expires = time.Now().Add(time.Hour)
	}
	l, err := h.Grant(path, l)
	require.NoError(t, err)
	require.NoError(t, h.Release())
	return l
}

func as(tx string, reqs []Request) []Request {
	for i := range reqs {
		reqs[i].Tx = tx
	}
	return reqs
}

func TestLeaseKeepsOthersOut(t *testing.T) {
	path := lockPath(t)
	m := New()
	leased(t, path, Lease{Tx: "T1", Command: "jtx begin"})
	for _, timeout := range []time.Duration{0, short} {
		_, err := m.Acquire(context.Background(), timeout, one(Exclusive, path))
		require.ErrorIs(t, err, ErrTimeout)
		var e *TimeoutError
		require.ErrorAs(t, err, &e)
		require.Equal(t, "T1", e.Lease.Tx)
		require.ErrorContains(t, err, "config.json is leased by transaction T1 (jtx begin) until ")
	}
	require.ErrorIs(t, try(m, as("T2", one(Exclusive, path))), ErrTimeout)
	require.NoError(t, try(m, as("T1", one(Exclusive, path))))
	require.NoError(t, try(m, one(Shared, path)), "readers don't wait for leases")
	eventually(t, "nobody watches the lease", func() bool { return idle(m) })
}

func TestLeaseOfOneFileGivesBackTheOthers(t *testing.T) {
	path := lockPath(t)
	dir := filepath.Join(filepath.Dir(path), "leased")
	require.NoError(t, os.Mkdir(dir, 0o700))
	leased(t, filepath.Join(dir, "lock"), Lease{Tx: "T1"})
	m := New()
	done := make(chan error)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, err := m.Acquire(ctx, long, append(one(Exclusive, path), one(Exclusive, filepath.Join(dir, "lock"))...))
		done <- err
	}()
	eventually(t, "it waits for the lease", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.leaseWaits) == 1
	})
	require.NoError(t, try(New(), one(Exclusive, path)))
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

// Every way in which a lease ends lets those in who wait for it.
func TestLeaseEnds(t *testing.T) {
	owner := func(p *player) *Process {
		o, err := ProcessOf(p.pid())
		require.NoError(t, err)
		return &o
	}
	for _, c := range []struct {
		name string
		// lease completes the lease; end ends it.
		lease func(l *Lease, p *player)
		end   func(path string, p *player)
	}{
		{"given-up", nil, func(path string, _ *player) {
			h := acquire(t, New(), as("T1", one(Exclusive, path)))
			require.NoError(t, h.EndLease(path, "T1"))
			require.NoError(t, h.Release())
		}},
		{"broken", nil, func(path string, _ *player) {
			require.NoError(t, New().BreakLease(context.Background(), long, Request{Path: path}, "T1"))
		}},
		{"owner-killed", func(l *Lease, p *player) { l.Owner = owner(p) }, func(_ string, p *player) {
			require.NoError(t, p.cmd.Process.Kill())
		}},
		{"time-over", func(l *Lease, _ *player) { l.Expires = time.Now().Add(50 * time.Millisecond) }, nil},
		{"file-removed", nil, func(path string, _ *player) {
			require.NoError(t, os.Remove(leasePath(path)))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := lockPath(t)
			p := hold(t, Exclusive, lockPath(t))
			l := Lease{Tx: "T1"}
			if c.lease != nil {
				c.lease(&l, p)
			}
			leased(t, path, l)
			m := New()
			got := make(chan error, 3)
			for range cap(got) {
				go func() {
					h, err := m.Acquire(context.Background(), long, one(Exclusive, path))
					if err == nil {
						err = h.Release()
					}
					got <- err
				}()
			}
			if c.end != nil {
				eventually(t, "all wait for the lease", func() bool {
					m.mu.Lock()
					defer m.mu.Unlock()
					for _, w := range m.leaseWaits {
						return w.users == cap(got)
					}
					return false
				})
				c.end(path, p)
			}
			for range cap(got) {
				require.NoError(t, <-got)
			}
			eventually(t, "nobody watches the lease", func() bool { return idle(m) })
		})
	}
}

// Away in one step, since the waiter would make files in a half removed one.
func TestDirectoryVanishesWhileLeased(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "lock")
	leased(t, path, Lease{Tx: "T1"})
	m := New()
	got := make(chan error)
	go func() {
		_, err := m.Acquire(context.Background(), long, one(Exclusive, path))
		got <- err
	}()
	eventually(t, "it waits for the lease", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.leaseWaits) == 1
	})
	require.NoError(t, os.Rename(dir, dir+".away"))
	require.ErrorIs(t, <-got, fs.ErrNotExist)
	require.True(t, idle(m))
}

// begin --lock: the process that took the lease has exited; the owner it named
// lives, and the lease with it.
func TestLeaseOutlivesTheGrantingProcess(t *testing.T) {
	path := lockPath(t)
	self := Self()
	p := play(t, role{Name: "grant", Paths: []string{path}, Mode: Exclusive, Timeout: long,
		Lease: Lease{Tx: "T1", Owner: &self, Expires: time.Now().Add(time.Hour)}})
	p.finish(t)
	require.ErrorIs(t, try(New(), one(Exclusive, path)), ErrTimeout)
	l, ok, err := ReadLease(path)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "T1", l.Tx)
	require.NotEmpty(t, l.Command)
	broken, _ := l.Broken(time.Now())
	require.False(t, broken)
}

func TestBroken(t *testing.T) {
	now := time.Now()
	self := Self()
	other := func(change func(p *Process)) *Process {
		p := self
		change(&p)
		return &p
	}
	for _, c := range []struct {
		name   string
		lease  Lease
		broken bool
	}{
		{"time only", Lease{Expires: now.Add(time.Second)}, false},
		{"time over", Lease{Expires: now.Add(-time.Second)}, true},
		{"time over though the owner lives", Lease{Expires: now, Owner: &self}, true},
		{"ended", Lease{Expires: now.Add(time.Hour), Ended: true}, true},
		{"owner lives", Lease{Expires: now.Add(time.Hour), Owner: &self}, false},
		{"owner dead", Lease{Expires: now.Add(time.Hour), Owner: other(func(p *Process) { p.PID = 1 << 30 })}, true},
		{"pid used again", Lease{Expires: now.Add(time.Hour), Owner: other(func(p *Process) { p.Start-- })}, true},
		{"start not known", Lease{Expires: now.Add(time.Hour), Owner: other(func(p *Process) { p.Start = 0 })}, false},
		{"earlier boot", Lease{Expires: now.Add(time.Hour), Owner: other(func(p *Process) { p.Boot = "earlier" })}, true},
		{"other host", Lease{Expires: now.Add(time.Hour), Owner: other(func(p *Process) { p.Host = "other"; p.PID = 1 << 30 })}, false},
		{"other host, time over", Lease{Expires: now, Owner: other(func(p *Process) { p.Host = "other" })}, true},
		{"other pid namespace", Lease{Expires: now.Add(time.Hour), Owner: other(func(p *Process) { p.PIDNS = "pid:[1]"; p.PID = 1 << 30 })}, false},
		{"can't be seen, time over for that", Lease{Expires: now.Add(time.Hour), Unseen: now, Owner: other(func(p *Process) { p.PIDNS = "pid:[1]" })}, true},
		{"can't be seen, time for that", Lease{Expires: now.Add(time.Hour), Unseen: now.Add(time.Second), Owner: other(func(p *Process) { p.PIDNS = "pid:[1]" })}, false},
		{"seen, time over for those who can't", Lease{Expires: now.Add(time.Hour), Unseen: now, Owner: &self}, false},
		{"granted in the future", Lease{Granted: now.AddDate(10, 0, 0), Expires: now.AddDate(10, 0, 1)}, true},
		{"boot not known", Lease{Expires: now.Add(time.Hour), Owner: other(func(p *Process) { p.Boot = "" })}, false},
	} {
		broken, why := c.lease.Broken(now)
		require.Equal(t, c.broken, broken, "%s: %s", c.name, why)
		require.Equal(t, broken, why != "", c.name)
	}
}

func TestFencingToken(t *testing.T) {
	path := lockPath(t)
	check := func(tx string, token uint64) error {
		h := acquire(t, New(), []Request{{Path: path, Mode: Exclusive, anyLease: true}})
		defer h.Release()
		return h.CheckLease(path, tx, token)
	}
	require.ErrorIs(t, check("T1", 1), ErrLeaseBroken)

	first := leased(t, path, Lease{Tx: "T1"})
	require.EqualValues(t, 1, first.Token)
	require.NoError(t, check("T1", first.Token))
	again := leased(t, path, Lease{Tx: "T1"})
	require.EqualValues(t, 2, again.Token)
	require.ErrorIs(t, check("T1", first.Token), ErrLeaseBroken)
	require.NoError(t, check("T1", again.Token))

	m := New()
	require.ErrorIs(t, m.BreakLease(context.Background(), 0, Request{Path: path}, "T2"), ErrNoLease)
	require.NoError(t, m.BreakLease(context.Background(), 0, Request{Path: path}, "T1"))
	require.ErrorIs(t, m.BreakLease(context.Background(), 0, Request{Path: path}, "T1"), ErrNoLease)
	require.ErrorIs(t, check("T1", again.Token), ErrLeaseBroken)
	_, ok, err := ReadLease(path)
	require.NoError(t, err)
	require.False(t, ok)

	second := leased(t, path, Lease{Tx: "T2"})
	require.EqualValues(t, 3, second.Token, "the tokens go on after the end")
	require.ErrorIs(t, check("T1", again.Token), ErrLeaseBroken)
	require.ErrorIs(t, check("T1", second.Token), ErrLeaseBroken)
	require.NoError(t, check("T2", second.Token))
}

// Once somebody has had the lock past a broken lease it is void, also if the
// clock is set back.
func TestPassedLeaseIsVoid(t *testing.T) {
	path := lockPath(t)
	l := leased(t, path, Lease{Tx: "T1", Expires: time.Now().Add(-time.Second)})
	_, ok, err := ReadLease(path)
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, try(New(), one(Exclusive, path)))
	now, ok, err := readLeaseFile(path)
	require.NoError(t, err)
	require.True(t, ok)
	require.True(t, now.Ended)
	require.Equal(t, l.Token, now.Token)
}

func TestLeaseNeedsTheExclusiveLock(t *testing.T) {
	path := lockPath(t)
	h := acquire(t, New(), one(Shared, path))
	defer h.Release()
	l := Lease{Tx: "T1", Expires: time.Now().Add(time.Hour)}
	_, err := h.Grant(path, l)
	require.ErrorIs(t, err, ErrNotHeld)
	require.ErrorIs(t, h.CheckLease(path, "T1", 1), ErrNotHeld)
	require.ErrorIs(t, h.EndLease(path, "T1"), ErrNotHeld)

	x := acquire(t, New(), one(Exclusive, path+"x"))
	defer x.Release()
	_, err = x.Grant(path+"x", Lease{Tx: "T1"})
	require.ErrorContains(t, err, "no end")
	_, err = x.Grant(path+"x", Lease{Expires: l.Expires})
	require.ErrorContains(t, err, "no transaction")
}

// After a power cut the file may be empty or half: there is no lease then.
func TestDamagedLeaseFile(t *testing.T) {
	for _, content := range []string{"", "{", `{"tx":"T1","tok`, "\x00\x00\x00", "[]"} {
		path := lockPath(t)
		require.NoError(t, os.WriteFile(leasePath(path), []byte(content), 0o600))
		_, ok, err := ReadLease(path)
		require.NoError(t, err)
		require.False(t, ok)
		h := acquire(t, New(), one(Exclusive, path))
		require.ErrorIs(t, h.CheckLease(path, "T1", 1), ErrLeaseBroken)
		require.NoError(t, h.Release())
	}
}

func TestLeaseFileHasTheModeOfTheLock(t *testing.T) {
	path := lockPath(t)
	reqs := one(Exclusive, path)
	reqs[0].Perm = 0o664
	h := acquire(t, New(), reqs)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), leaseTempName), []byte("left behind"), 0o400))
	_, err := h.Grant(path, Lease{Tx: "T1", Expires: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.NoError(t, h.Release())
	info, err := os.Stat(leasePath(path))
	require.NoError(t, err)
	require.EqualValues(t, 0o664, info.Mode().Perm())
	require.NoFileExists(t, filepath.Join(filepath.Dir(path), leaseTempName))
}

// On a full disk a lease can't be marked as ended, but it must end.
func TestLeaseEndsWhereNothingCanBeWritten(t *testing.T) {
	path := lockPath(t)
	leased(t, path, Lease{Tx: "T1"})
	inTheWay := filepath.Join(filepath.Dir(path), leaseTempName, "x")
	require.NoError(t, os.MkdirAll(inTheWay, 0o700))
	require.NoError(t, New().BreakLease(context.Background(), 0, Request{Path: path}, "T1"))
	require.NoError(t, try(New(), one(Exclusive, path)))
	require.NoFileExists(t, leasePath(path))
}

func TestLeaseString(t *testing.T) {
	owner := &Process{PID: 7, Host: "h"}
	end := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	for want, l := range map[string]Lease{
		"transaction T until 2026-01-02T02:04:05Z":                       {Tx: "T", Expires: end},
		"transaction T (jtx begin) until 2026-01-02T02:04:05Z":           {Tx: "T", Expires: end, Command: "jtx begin"},
		"transaction T (pid 7 on h) until 2026-01-02T02:04:05Z":          {Tx: "T", Expires: end, Owner: owner},
		"transaction T (jtx run, pid 7 on h) until 2026-01-02T02:04:05Z": {Tx: "T", Expires: end, Owner: owner, Command: "jtx run"},
	} {
		require.Equal(t, want, l.String())
	}
}

func TestProcessOf(t *testing.T) {
	p := hold(t, Exclusive, lockPath(t))
	o, err := ProcessOf(p.pid())
	require.NoError(t, err)
	require.Equal(t, Alive, o.Alive())
	require.Equal(t, Alive, Self().Alive())

	require.NoError(t, p.cmd.Process.Kill())
	eventually(t, "a zombie is dead", func() bool { return o.Alive() == Dead })
	_ = p.cmd.Wait()
	require.Equal(t, Dead, o.Alive())
	_, err = ProcessOf(p.pid())
	require.ErrorIs(t, err, os.ErrProcessDone)
}
