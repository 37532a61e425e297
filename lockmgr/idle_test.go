package lockmgr

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

// Whoever comes, also without the patience to wait, gets what an idle holder has.
func TestAnIdleHolderYields(t *testing.T) {
	m := New()
	a, b := lockPath(t), lockPath(t)
	for _, mode := range []Mode{Shared, Exclusive} {
		h := acquire(t, m, append(one(Exclusive, a), one(Exclusive, b)...))
		asked := 0
		require.True(t, h.Idle(func() { asked++; require.NoError(t, h.Release()) }))
		got, err := m.Acquire(context.Background(), 0, one(mode, b))
		require.NoError(t, err)
		require.Equal(t, 1, asked)
		require.Zero(t, got.Waited())
		require.NoError(t, got.Release())
	}
	require.True(t, idle(m))
}

// Two that share a lock are both asked by one who wants it alone.
func TestAllIdleHoldersYield(t *testing.T) {
	m, path := New(), lockPath(t)
	asked := 0
	for range 2 {
		h := acquire(t, m, one(Shared, path))
		require.True(t, h.Idle(func() { asked++; require.NoError(t, h.Release()) }))
	}
	require.NoError(t, acquire(t, m, one(Shared, path)).Release())
	require.Zero(t, asked, "readers are in nobody's way")
	require.NoError(t, acquire(t, m, one(Exclusive, path)).Release())
	require.Equal(t, 2, asked)
}

func TestABusyHolderIsNotAsked(t *testing.T) {
	m, path := New(), lockPath(t)
	h := acquire(t, m, one(Exclusive, path))
	require.True(t, h.Idle(func() { t.Error("asked") }))
	h.Busy()
	_, err := m.Acquire(context.Background(), 0, one(Exclusive, path))
	require.ErrorIs(t, err, ErrTimeout)
	require.NoError(t, h.Release())
}

// Somebody who waits already was not asked for, so that nobody may idle.
func TestNobodyIdlesWhileOthersWait(t *testing.T) {
	m, path := New(), lockPath(t)
	h := acquire(t, m, one(Exclusive, path))
	var got atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		other := acquire(t, m, one(Exclusive, path))
		got.Store(true)
		_ = other.Release()
	}()
	require.Eventually(t, func() bool {
		ok := h.Idle(func() {})
		h.Busy()
		return !ok
	}, long, 1)
	require.False(t, got.Load())
	require.NoError(t, h.Release())
	<-done
}

func TestAHolderSeesThatAnotherProcessWaits(t *testing.T) {
	path := lockPath(t)
	h := acquire(t, New(), one(Exclusive, path))
	require.True(t, h.Idle(func() { t.Error("asked") }))
	require.False(t, h.Wanted())
	info, err := os.Stat(path)
	require.NoError(t, err)
	other := New() // as good as another process
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = acquire(t, other, one(Exclusive, path)).Release()
	}()
	require.Eventually(t, h.Wanted, long, 1)
	require.NoError(t, h.Release())
	<-done
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, info.Size(), after.Size())
}

// Who may only read can neither make the queue file nor leave a mark, but stand in line.
func TestAHolderSeesThatWhoMayOnlyReadWaits(t *testing.T) {
	path := lockPath(t)
	h := acquire(t, New(), one(Exclusive, path))
	require.True(t, h.Idle(func() { t.Error("asked") }))
	h.Busy()
	require.NoFileExists(t, path+queueSuffix, "who idles once is not busy")
	require.True(t, h.Idle(func() { t.Error("asked") }))
	require.FileExists(t, path+queueSuffix)
	lock, err := os.Stat(path)
	require.NoError(t, err)
	queue, err := os.Stat(path + queueSuffix)
	require.NoError(t, err)
	require.Equal(t, lock.Mode(), queue.Mode(), "who may read the one may read the other")

	reader := flock.New(path+queueSuffix, flock.SetFlag(os.O_RDONLY))
	require.NoError(t, reader.Lock())
	require.Eventually(t, h.Wanted, long, 1)
	require.NoError(t, h.Release())
	_, err = New().Acquire(context.Background(), 20*time.Millisecond, one(Exclusive, path))
	require.ErrorIs(t, err, ErrTimeout, "it is the reader's turn")
	require.NoError(t, reader.Unlock())
	require.NoError(t, acquire(t, New(), one(Exclusive, path)).Release())
}
