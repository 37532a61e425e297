package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// Hazard 6: after a failed sync the record's fate is unknown, and the next sync lies.
func TestHazard06FailedSync(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 3)
	failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: 0, Ops: []string{"datasync"}, Lie: true})
	opt := testOptions()
	opt.FS = failing
	l := open(t, dir, opt)
	require.NoError(t, l.Append(patch(4)))
	require.ErrorIs(t, l.Sync(), syscall.EIO)
	require.ErrorIs(t, l.Sync(), ErrFailed)
	require.ErrorIs(t, l.Append(patch(5)), ErrFailed)
	require.ErrorIs(t, l.Settle(4, FileID{}, Version{}, false), ErrFailed)
	old := tailSegment(t, dir)

	require.NoError(t, l.Reopen())
	require.Equal(t, LSN(4), l.State().Last, "the record is there whole, and its caller may abort it")
	require.Equal(t, LSN(4), l.State().Durable)
	require.NotEqual(t, old, tailSegment(t, dir))
	commit(t, l, patch(5))
	require.Empty(t, failing.Lied())
	requireWhole(t, dir, 5)
}

// The process that failed is gone; the one that finds its record copies it too.
func TestHazard06FailedSyncFoundByAnother(t *testing.T) {
	for _, settled := range []int{0, 1, 3} {
		dir := fileDir(t)
		build(t, dir, settled)
		failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: 0, Ops: []string{"datasync"}, Lie: true})
		opt := testOptions()
		opt.FS = failing
		l := open(t, dir, opt)
		require.NoError(t, l.Append(patch(settled+1)))
		require.Error(t, l.Sync())
		require.NoError(t, l.Close())

		l = open(t, dir, opt)
		require.False(t, l.Trusted())
		require.Equal(t, LSN(settled+1), l.State().Last)
		require.Equal(t, LSN(settled), l.State().Durable)
		require.NoError(t, l.Sync())
		require.Equal(t, LSN(settled+1), l.State().Durable)
		commit(t, l, patch(settled+2))
		require.Empty(t, failing.Lied())
		requireWhole(t, dir, settled+2)
	}
}

// Hazard 7: a batch is not atomic. So a record is one entry, and a batch that was cut
// between two of them is a journal with fewer records.
func TestHazard07OneRecordIsOneEntry(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	commit(t, l, patch(1))
	recs := []*Record{patch(2), patch(3), patch(4)}
	require.NoError(t, l.Append(recs...))
	last, err := l.appender.last()
	require.NoError(t, err)
	require.Equal(t, LSN(4), last)
	require.NoError(t, l.Close())
	frame, err := recs[2].Encode()
	require.NoError(t, err)
	mutate(t, tailSegment(t, dir), func(b []byte) []byte { return b[:len(b)-int(entrySize(len(frame)))] })
	require.Equal(t, LSN(3), open(t, dir, bigSegments()).State().Last)
}

// Hazard 8: tidwall/wal's concurrent reads race. Run with -race.
func TestHazard08ConcurrentReads(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 30)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 30 {
				n := (g*7+i)%30 + 1
				if r, err := ReadRecord(fsys.OS, dir, LSN(n)); err != nil || r.Rev != uint64(n) {
					t.Errorf("record %d: %v, %v", n, r, err)
				}
			}
		})
	}
	group.Wait()
}

// Hazard 9: of two handles a stale one overwrites the other's records.
func TestHazard09StaleHandle(t *testing.T) {
	dir := fileDir(t)
	a, b := open(t, dir, testOptions()), open(t, dir, testOptions())
	commit(t, a, patch(1))
	require.NoError(t, b.Refresh())
	commit(t, b, patch(2))
	for i := 3; i < 30; i++ { // b rolls over; a's segment is no longer the last
		commit(t, b, patch(i))
	}
	require.NoError(t, a.Refresh())
	require.Equal(t, LSN(29), a.State().Last)
	commit(t, a, patch(30))
	requireWhole(t, dir, 30)

	// A directory that was removed and made anew is another journal.
	require.NoError(t, os.Rename(dir, dir+".old"))
	require.NoError(t, os.Mkdir(dir, 0o700))
	build(t, dir, 2)
	require.NoError(t, a.Refresh())
	require.Equal(t, LSN(2), a.State().Last)
	commit(t, a, patch(3))
	requireWhole(t, dir, 3)
}

// Hazard 10: tidwall/wal's Open changes files. Readers never do.
func TestHazard10ReadersChangeNothing(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 25)
	tail := tailSegment(t, dir)
	mutate(t, tail, func(b []byte) []byte { return append(b, 1, 2, 3) })
	require.NoError(t, os.WriteFile(tail+".START.TEMP", []byte("x"), 0o600))
	before := listTree(t, dir)

	failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: -1})
	n := 0
	for _, err := range Scan(failing, dir, 1) {
		require.NoError(t, err)
		n++
	}
	for r, err := range ScanBack(failing, dir, 0) {
		require.NoError(t, err)
		require.Equal(t, LSN(n), r.LSN)
		n--
	}
	require.Zero(t, n)
	_, err := ReadRecord(failing, dir, 20)
	require.NoError(t, err)
	report, err := Inspect(failing, dir)
	require.NoError(t, err)
	require.Equal(t, []string{tail + ".START.TEMP"}, report.Temps)
	_, _, err = ReadState(failing, dir)
	require.NoError(t, err)
	require.Empty(t, failing.Trace())
	require.Equal(t, before, listTree(t, dir))
}

func listTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		info, statErr := d.Info()
		tree[path] = fmt.Sprintf("%v %x", FileIDOf(info), b)
		return errors.Join(err, statErr)
	}))
	return tree
}

// Hazard 11: tidwall/wal syncs no directory.
func TestHazard11DirectoriesAreSynced(t *testing.T) {
	dir := fileDir(t)
	parent := filepath.Dir(dir)
	failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: -1})
	opt := bigSegments()
	opt.FS, opt.DirChain = failing, []string{parent}
	l := open(t, dir, opt)
	commit(t, l, patch(1))
	journal := dir
	for _, want := range []string{journal, dir, parent} {
		require.True(t, traceHas(failing.Trace(), "sync "+want), "%s in %q", want, failing.Trace())
	}
	seen := len(failing.Trace())
	commit(t, l, patch(2))
	require.Len(t, failing.Trace()[seen:], 3, "state, datasync, state: %q", failing.Trace()[seen:])

	l.opt.SegmentSize = 1
	seen = len(failing.Trace())
	commit(t, l, patch(3))
	require.Equal(t, "sync "+journal, failing.Trace()[seen+3], "before the first record: %q", failing.Trace()[seen:])

	mutate(t, tailSegment(t, dir), func(b []byte) []byte { return append(b, 5) })
	seen = len(failing.Trace())
	require.Equal(t, int64(1), open(t, dir, opt).Cut().Bytes)
	trace := failing.Trace()[seen:]
	require.True(t, traceHas(trace[0:1], "truncate"), trace)
	require.True(t, traceHas(trace[1:2], "sync "+tailSegment(t, dir)), trace)
	require.Equal(t, "sync "+journal, trace[2])
}

// Hazard 12: temporaries are never cleaned.
func TestHazard12TemporariesAreRemoved(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 3)
	tail := tailSegment(t, dir)
	for _, suffix := range []string{".START.TEMP", ".END.TEMP", copySuffix} {
		require.NoError(t, os.WriteFile(tail+suffix, []byte("half"), 0o600))
	}
	forget(t, dir, 3)
	l := open(t, dir, testOptions())
	commit(t, l, patch(4))
	left, err := filepath.Glob(filepath.Join(dir, "*TEMP"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoError(t, l.Close())

	// An unfinished truncation would make tidwall/wal delete segments.
	require.NoError(t, os.WriteFile(tail+".END", nil, 0o600))
	forget(t, dir, 3)
	_, err = Open(dir, testOptions())
	require.ErrorIs(t, err, ErrCorrupt)
}

// Hazard 13: Open reads the whole last segment, and looks at every file beside it.
func TestHazard13SegmentsStaySmallAndFew(t *testing.T) {
	dir := fileDir(t)
	opt := testOptions()
	l := open(t, dir, opt)
	for i := range 20 * groupSegments {
		require.NoError(t, l.Append(patch(i+1)))
	}
	require.NoError(t, l.Sync())
	perGroup := map[string]int{}
	for _, path := range segments(t, dir) {
		perGroup[filepath.Dir(path)]++
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(opt.SegmentSize)+300)
	}
	require.Len(t, perGroup, 2)
	for _, n := range perGroup {
		require.LessOrEqual(t, n, groupSegments)
	}

	// A record bigger than a segment is alone in the tail until the next one.
	require.NoError(t, l.Append(image(1000, string(make([]byte, 1<<20))), patch(1001)))
	require.Less(t, l.State().Offset, int64(1000))
}

// Hazard 14: tidwall/wal's Close always syncs. Ours closes its file without that.
func TestHazard14CloseDoesNotSync(t *testing.T) {
	failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: -1})
	opt := testOptions()
	opt.FS = failing
	l := open(t, fileDir(t), opt)
	require.NoError(t, l.Append(patch(1)))
	require.NoError(t, l.Append(patch(2))) // the first one is written without tidwall/wal
	handle := l.appender.log
	seen := len(failing.Trace())
	require.NoError(t, l.Close())
	require.Len(t, failing.Trace(), seen)
	require.ErrorIs(t, handle.Sync(), os.ErrClosed, "the field that holds the file has another name now")
}
