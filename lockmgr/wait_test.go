package lockmgr

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const short = 20 * time.Millisecond

func TestDeadlineNamesTheHolder(t *testing.T) {
	path := lockPath(t)
	p := hold(t, Exclusive, path)
	stamped(t, path)
	for _, timeout := range []time.Duration{0, short} {
		_, err := New().Acquire(context.Background(), timeout, one(Exclusive, path))
		require.ErrorIs(t, err, ErrTimeout)
		var e *TimeoutError
		require.ErrorAs(t, err, &e)
		require.True(t, e.Known)
		require.Equal(t, p.pid(), e.Holder.PID)
		require.False(t, e.Holder.Since.IsZero())
		require.Equal(t, timeout > 0, e.Waited > 0)
		require.Equal(t, path, e.Path)
		host, _ := os.Hostname()
		for _, part := range []string{"config.json", e.Holder.String(), "since", host, filepath.Base(os.Args[0])} {
			require.ErrorContains(t, err, part)
		}
	}
	p.finish(t)
	require.NoError(t, try(New(), one(Exclusive, path)))
}

func TestDeadlineNamesAGoroutinesProcess(t *testing.T) {
	path := lockPath(t)
	m := New()
	h := acquire(t, m, one(Exclusive, path))
	_, err := m.Acquire(context.Background(), short, one(Shared, path))
	var e *TimeoutError
	require.ErrorAs(t, err, &e)
	require.True(t, e.Known)
	require.Equal(t, os.Getpid(), e.Holder.PID)
	require.NoError(t, h.Release())
	require.True(t, idle(m))
}

// The text in the file is an earlier holder's. It must not be taken for the
// present ones, who left none.
func TestDeadlineNamesASharedHolder(t *testing.T) {
	path := lockPath(t)
	require.NoError(t, try(New(), one(Exclusive, path)))
	p := hold(t, Shared, path)
	err := try(New(), one(Exclusive, path))
	var e *TimeoutError
	require.ErrorAs(t, err, &e)
	if runtime.GOOS == "linux" {
		require.True(t, e.Known)
		require.Equal(t, p.pid(), e.Holder.PID)
		require.Equal(t, Shared, e.Holder.Mode)
	}
}

func TestContext(t *testing.T) {
	path := lockPath(t)
	m := New()
	h := acquire(t, New(), one(Exclusive, path))
	inner := acquire(t, m, one(Exclusive, path+"2"))
	cause := errors.New("the user went home")
	for _, timeout := range []time.Duration{-1, long} {
		for _, p := range []string{path, path + "2"} {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(short, func() { cancel(cause) })
			_, err := m.Acquire(ctx, timeout, one(Exclusive, p))
			require.ErrorIs(t, err, cause)
			require.NotErrorIs(t, err, ErrTimeout)
			_, err = m.Acquire(ctx, timeout, one(Exclusive, p))
			require.ErrorIs(t, err, cause, "cancelled before the call")

			ctx, done := context.WithTimeout(context.Background(), short)
			_, err = m.Acquire(ctx, timeout, one(Exclusive, p))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, ErrTimeout)
			done()
		}
	}
	require.NoError(t, h.Release())
	require.NoError(t, inner.Release())
	eventually(t, "the ghosts are gone", func() bool { return idle(m) })
}

func TestWaited(t *testing.T) {
	path := lockPath(t)
	m := New()
	h := acquire(t, m, one(Exclusive, path))
	require.Zero(t, h.Waited())
	time.AfterFunc(short, func() { _ = h.Release() })
	w := acquire(t, m, one(Exclusive, path))
	require.NotZero(t, w.Waited())
	require.NoError(t, w.Release())
}

// However many callers give up, one goroutine and its files stay behind while
// the lock is held, and nothing once it is free.
func TestTimeoutsLeakNothing(t *testing.T) {
	path := lockPath(t)
	m := New()
	other := New()
	h := acquire(t, other, one(Exclusive, path))
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 5 {
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_, err := m.Acquire(context.Background(), short, one(Mode(i%2), path))
				if !errors.Is(err, ErrTimeout) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	eventually(t, "at most one goroutine per mode", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
	require.LessOrEqual(t, openFiles(t), files+4)
	require.NoError(t, h.Release())
	eventually(t, "the ghosts are gone", func() bool {
		return idle(m) && runtime.NumGoroutine() <= goroutines && openFiles(t) <= files
	})
	require.NoError(t, try(m, one(Exclusive, path)))
}

// An abandoned waiter that gets the lock has no use for it.
func TestAbandonedWaiterReleasesAtOnce(t *testing.T) {
	path := lockPath(t)
	m := New()
	p := hold(t, Exclusive, path)
	_, err := m.Acquire(context.Background(), short, one(Exclusive, path))
	require.ErrorIs(t, err, ErrTimeout)
	require.False(t, idle(m))
	p.finish(t)
	h := acquire(t, New(), one(Exclusive, path))
	eventually(t, "the ghost is gone", func() bool { return h.Release() == nil && idle(m) })
}

func TestGhostIsTakenOver(t *testing.T) {
	path := lockPath(t)
	m := New()
	p := hold(t, Exclusive, path)
	_, err := m.Acquire(context.Background(), short, one(Exclusive, path))
	require.ErrorIs(t, err, ErrTimeout)
	ghost := m.queues[path].ghosts[Exclusive]
	require.NotNil(t, ghost)
	got := make(chan error)
	go func() {
		h, err := m.Acquire(context.Background(), long, one(Exclusive, path))
		if err == nil {
			err = h.Release()
		}
		got <- err
	}()
	eventually(t, "the ghost has a caller", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return !ghost.abandoned && m.queues[path].ghosts[Exclusive] == nil
	})
	p.finish(t)
	require.NoError(t, <-got)
	require.True(t, idle(m))
}

// A writer that gave up must not keep the readers out that could have the lock.
func TestAbandonedWriterMakesRoomForReaders(t *testing.T) {
	path := lockPath(t)
	hold(t, Shared, path)
	m := New()
	_, err := m.Acquire(context.Background(), short, one(Exclusive, path))
	require.ErrorIs(t, err, ErrTimeout)
	h := acquire(t, New(), one(Shared, path))
	require.NoError(t, h.Release())
	h = acquire(t, m, one(Shared, path))
	require.NoError(t, h.Release())
}

// A reader that comes after a waiting writer comes after it, in the same
// process and in another.
func TestReadersDontOvertakeAWriter(t *testing.T) {
	path := lockPath(t)
	m := New()
	p := hold(t, Shared, path)
	order := make(chan string, 3)
	wait := func(m *Manager, mode Mode, name string) {
		h, err := m.Acquire(context.Background(), long, one(mode, path))
		if err != nil {
			t.Error(err)
		}
		order <- name
		_ = h.Release()
	}
	go wait(m, Exclusive, "writer")
	eventually(t, "the writer waits", func() bool {
		info, err := os.Stat(path)
		return err == nil && info.Size() > FileSize
	})
	var readers sync.WaitGroup
	for _, m := range []*Manager{m, New()} {
		readers.Go(func() { wait(m, Shared, "reader") })
	}
	time.Sleep(short)
	require.Empty(t, order)
	p.finish(t)
	require.Equal(t, "writer", <-order)
	readers.Wait()
}

func TestQueueIsFair(t *testing.T) {
	path := lockPath(t)
	m := New()
	h := acquire(t, m, one(Exclusive, path))
	order := make(chan int, 10)
	for i := range 10 {
		go func() {
			h, err := m.Acquire(context.Background(), long, one(Exclusive, path))
			if err == nil {
				order <- i
				_ = h.Release()
			}
		}()
		eventually(t, "the next stands in line", func() bool { return inLine(m, path) == i+1 })
	}
	require.NoError(t, h.Release())
	for i := range 10 {
		require.Equal(t, i, <-order)
	}
}

// Somebody removes .jtx while we wait: whoever waited must not believe it has
// the lock that others take on the new file.
func TestDirectoryReplacedWhileWaiting(t *testing.T) {
	for _, again := range []bool{true, false} {
		dir := filepath.Join(t.TempDir(), "files")
		require.NoError(t, os.Mkdir(dir, 0o700))
		path := filepath.Join(dir, "lock")
		old := hold(t, Exclusive, path)
		m := New()
		got := make(chan error)
		var h *Held
		go func() {
			var err error
			h, err = m.Acquire(context.Background(), long, one(Exclusive, path))
			got <- err
		}()
		eventually(t, "it waits", func() bool {
			s, err := m.Probe(path)
			return err == nil && len(s.Waiters) > 0
		})
		require.NoError(t, os.RemoveAll(dir))
		if !again {
			old.finish(t)
			require.ErrorIs(t, <-got, fs.ErrNotExist)
			require.True(t, idle(m))
			continue
		}
		require.NoError(t, os.Mkdir(dir, 0o700))
		present := hold(t, Exclusive, path)
		old.finish(t)
		eventually(t, "it waits for the new file", func() bool {
			s, err := m.Probe(path)
			return err == nil && len(s.Waiters) > 0
		})
		present.finish(t)
		require.NoError(t, <-got)
		require.ErrorIs(t, try(New(), one(Exclusive, path)), ErrTimeout)
		require.NoError(t, h.Release())
	}
}

// A mark that a killed waiter left behind is taken away by the next holder.
func TestStaleMark(t *testing.T) {
	path := lockPath(t)
	m := New()
	require.NoError(t, try(m, one(Exclusive, path)))
	require.NoError(t, os.Truncate(path, FileSize+1))
	require.NoError(t, try(m, one(Exclusive, path)), "without waiting it is ignored")
	h := acquire(t, m, one(Exclusive, path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, FileSize, info.Size())
	require.NoError(t, h.Release())
}
