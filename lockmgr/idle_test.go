package lockmgr

import (
	"context"
	"os"
	"sync/atomic"
	"testing"

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
