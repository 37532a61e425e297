package wal

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// sweepCommits is enough for a first record, roll-overs and a second group.
const sweepCommits = groupSegments + 3

// TestFailEveryCall fails call 0, 1, 2 … of a run until one run meets no fault. What
// was acknowledged is there afterwards, once, and the journal goes on.
func TestFailEveryCall(t *testing.T) {
	for name, fault := range map[string]fsys.Fault{
		"once":             {Err: syscall.EIO},
		"for good":         {Err: syscall.ENOSPC, Forever: true},
		"short":            {Err: syscall.ENOSPC, Short: true},
		"then it lies":     {Err: syscall.EIO, Ops: []string{"sync", "datasync"}, Lie: true},
		"read-only":        {Err: syscall.EROFS, Forever: true, Ops: []string{"open", "mkdir", "rename", "remove"}},
		"no sync any more": {Err: syscall.EIO, Forever: true, Ops: []string{"sync", "datasync"}},
	} {
		for size, least := range map[int]int{1: 20, 4000: 2} { // a segment for each record, and room for many
			t.Run(fmt.Sprintf("%s/segments of %d", name, size), func(t *testing.T) {
				t.Parallel()
				for k := 0; ; k++ {
					kth := fault // both sizes run at once
					kth.Call = k
					failing := fsys.NewFailing(fsys.OS, kth)
					sweep(t, failing, k, size)
					if failing.Failed() == 0 {
						require.Greater(t, k, least)
						return
					}
				}
			})
		}
	}
}

// sweep commits through failing, as a caller who goes on after an error as long as
// that is possible; then with the fault gone.
func sweep(t *testing.T, failing *fsys.Failing, k, size int) {
	dir := memoryDir(t)
	opt := Options{Boot: boot, SegmentSize: size, FS: failing}
	l, err := Open(dir, opt)
	require.NoError(t, err)
	acked := 0
	for i := 1; i <= sweepCommits; i++ {
		ok, err := oneCommit(l, i, 2)
		if err != nil {
			break
		}
		if ok {
			acked = i
		}
	}
	require.NoError(t, l.Close())
	if failing.Failed() == 0 {
		require.Equal(t, sweepCommits, acked)
	}
	require.Empty(t, failing.Lied(), "call %d: a file whose sync had failed was relied on", k)

	opt.FS = fsys.OS
	l = open(t, dir, opt)
	last := int(l.State().Last)
	require.GreaterOrEqual(t, last, acked, "call %d", k)
	require.LessOrEqual(t, last, acked+1, "call %d", k)
	commit(t, l, patch(last+1), patch(last+2))
	require.NoError(t, l.Close())
	requireWhole(t, dir, last+2)
	report, err := Inspect(fsys.OS, dir)
	require.NoError(t, err)
	require.Empty(t, report.Damage)
	require.Empty(t, report.Temps)
}

// oneCommit commits patch(i). It reports whether the record is acknowledged; with an
// error the journal can't be used any more.
func oneCommit(l *Log, i, tries int) (bool, error) {
	err := l.MarkPending()
	if err == nil {
		err = l.Append(patch(i))
	}
	if err == nil {
		err = l.Sync()
	}
	if errors.Is(err, ErrCorrupt) || err != nil && tries == 0 {
		return false, err
	}
	if err != nil {
		if err := l.Reopen(); err != nil {
			return false, err
		}
		if int(l.State().Last) < i {
			return oneCommit(l, i, tries-1)
		}
		if l.State().Durable != LSN(i) {
			return false, fmt.Errorf("record %d was kept and is not durable: %+v", i, l.State())
		}
	}
	_ = l.Settle(LSN(i), FileID{Ino: 1}, patch(i).After, false) // a warning, no failure: the record is durable
	return true, nil
}

// TestFailEveryCallOfRecovery fails those of the preflight and of the copied tail.
func TestFailEveryCallOfRecovery(t *testing.T) {
	pristine := fileDir(t)
	l := open(t, pristine, bigSegments())
	commit(t, l, patch(1), patch(2))
	require.NoError(t, l.Append(patch(3)))
	require.NoError(t, l.Close())
	mutate(t, tailSegment(t, pristine), func(b []byte) []byte { return append(b, 99, 'j', 't', 'x', 'r') })

	for k := 0; ; k++ {
		dir := copyTree(t, pristine)
		opt := bigSegments()
		failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: k, Short: true, Lie: true})
		opt.FS = failing
		l, err := Open(dir, opt)
		if err == nil {
			err = l.Secure()
			require.NoError(t, l.Close())
		}
		if failing.Failed() == 0 {
			require.NoError(t, err)
			require.Greater(t, k, 6)
			return
		}
		require.ErrorIs(t, err, syscall.EIO, "call %d", k)
		l = open(t, dir, opt)
		require.Equal(t, LSN(3), l.State().Last)
		require.NoError(t, l.Secure())
		commit(t, l, patch(4))
		requireWhole(t, dir, 4)
		require.Empty(t, failing.Lied())
	}
}
