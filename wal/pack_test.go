package wal

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// buildPacked makes a journal of n mixed records, packed whenever a segment begins.
func buildPacked(t testing.TB, l *Log, from, n int) {
	t.Helper()
	for i := from; i <= n; i++ {
		before := l.State().Segment
		commit(t, l, mixed(i))
		if l.State().Segment != before {
			require.NoError(t, l.Pack())
		}
	}
}

func packedSegments(t testing.TB, dir string) (packed []string) {
	t.Helper()
	for _, path := range segments(t, dir) {
		if isPacked(path) {
			packed = append(packed, path)
		}
	}
	return packed
}

func TestPackKeepsUp(t *testing.T) {
	dir := memoryDir(t)
	l := open(t, dir, testOptions())
	buildPacked(t, l, 1, 2500)
	all := segments(t, dir)
	plain := len(all) - len(packedSegments(t, dir))
	require.Greater(t, len(all), 30)
	require.LessOrEqual(t, plain, packSegments+2, "what is old is compressed")
	require.False(t, isPacked(all[len(all)-1]) || isPacked(all[len(all)-2]), "the last two are not")
	requireFrom(t, dir, 1, 2500)
	require.NoError(t, l.Close())

	files := map[string]int{}
	for _, path := range all {
		files[filepath.Dir(path)]++
	}
	for group, n := range files {
		require.LessOrEqual(t, n, groupSegments, group)
	}

	at, err := Seek(fsys.OS, dir, func(r *Record) bool { return r.Rev <= 700 })
	require.NoError(t, err)
	require.LessOrEqual(t, at, LSN(700))
	require.Greater(t, at, LSN(500))
	for _, lsn := range []LSN{1, 700, 1333, 2499} {
		rec, err := ReadRecord(fsys.OS, dir, lsn)
		require.NoError(t, err)
		require.Equal(t, mixed(int(lsn)).Txns, rec.Txns)
	}

	// Other boots, and a journal that has lost its state, go on with it.
	for _, lost := range []bool{false, true} {
		other := copyTree(t, dir)
		forget(t, other, 0)
		if lost {
			require.NoError(t, os.Remove(filepath.Join(other, stateName)))
		}
		l := open(t, other, Options{Boot: [16]byte{9}, SegmentSize: 2000})
		require.Equal(t, LSN(2500), l.State().Last)
		require.Equal(t, LSN(2491), l.State().Image)
		commit(t, l, mixed(2501))
		requireFrom(t, other, 1, 2501)
		require.NoError(t, l.DropBefore(2491, nil, nil))
		requireFrom(t, other, 2491, 2501)
	}
}

// A journal that was written before anything was compressed is caught up with, a
// run for each segment that is begun.
func TestPackCatchesUp(t *testing.T) {
	dir := memoryDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 1000)
	require.Empty(t, packedSegments(t, dir))
	before, plain, err := Usage(fsys.OS, dir)
	require.NoError(t, err)
	for range plain {
		require.NoError(t, l.Pack())
	}
	after, left, err := Usage(fsys.OS, dir)
	require.NoError(t, err)
	require.Less(t, after, before/2)
	require.LessOrEqual(t, left, plain/packSegments+packSegments+2)
	requireFrom(t, dir, 1, 1000)
	buildPacked(t, l, 1001, 1100)
	requireFrom(t, dir, 1, 1100)
}

// What a crash left of a packing doesn't count: any subset of the segments that
// were replaced, and a compressed one that was never finished.
func TestPackLeftovers(t *testing.T) {
	plain := memoryDir(t)
	l := open(t, plain, testOptions())
	buildMixed(t, l, 300)
	require.NoError(t, l.Close())
	whole := copyTree(t, plain)
	l = open(t, whole, testOptions())
	require.NoError(t, l.Pack())
	require.NoError(t, l.Close())
	packed := packedSegments(t, whole)
	require.Len(t, packed, 1)
	replaced := segments(t, plain)[:packSegments]
	for left := range 1 << packSegments {
		dir := copyTree(t, whole)
		for i, path := range replaced {
			if left&(1<<i) != 0 {
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(path)), text, 0o600))
			}
		}
		temp := filepath.Join(dir, filepath.Base(packed[0])+tempSuffix)
		require.NoError(t, os.WriteFile(temp, []byte("half"), 0o600))
		require.Equal(t, len(segments(t, whole)), len(segments(t, dir)), "they are not listed")
		recs, err := scanAll(dir)
		require.NoError(t, err)
		require.Len(t, recs, 300)
		forget(t, dir, 300)
		l := open(t, dir, Options{Boot: [16]byte{9}, SegmentSize: 2000})
		require.NoFileExists(t, temp)
		for _, path := range replaced {
			require.NoFileExists(t, filepath.Join(dir, filepath.Base(path)))
		}
		commit(t, l, mixed(301))
		requireFrom(t, dir, 1, 301)
	}
}

// A compressed segment is never the last one: where it is, records are missing,
// also when nothing else remembers them.
func TestPackedLastSegmentIsDamage(t *testing.T) {
	dir := memoryDir(t)
	l := open(t, dir, testOptions())
	buildPacked(t, l, 1, 300)
	require.NoError(t, l.Close())
	forget(t, dir, 0)
	for _, path := range segments(t, dir) {
		if !isPacked(path) {
			require.NoError(t, os.Remove(path))
		}
	}
	_, err := Open(dir, Options{Boot: [16]byte{9}, SegmentSize: 2000})
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = scanAll(dir)
	require.ErrorIs(t, err, ErrCorrupt)
}

// TestFailEveryCallOfPack fails call 0, 1, 2 …: the journal holds all its records
// afterwards, and goes on.
func TestFailEveryCallOfPack(t *testing.T) {
	for name, fault := range map[string]fsys.Fault{
		"once":     {Err: syscall.EIO},
		"for good": {Err: syscall.ENOSPC, Forever: true},
		"short":    {Err: syscall.ENOSPC, Short: true},
	} {
		failEveryCall(t, name, 200, fault, (*Log).Pack, func(t *testing.T, dir string) (done bool) {
			requireRecords(t, dir, 200)
			done = len(packedSegments(t, dir)) > 0
			l := open(t, dir, testOptions())
			commit(t, l, mixed(201))
			require.NoError(t, l.Pack())
			require.NoError(t, l.Close())
			requireFrom(t, dir, 1, 201)
			return done
		})
	}
}

func requireRecords(t testing.TB, dir string, n int) {
	t.Helper()
	recs, err := scanAll(dir)
	require.NoError(t, err)
	require.Len(t, recs, n)
}

// Readers without a lock, while segments are compressed under their hands.
func TestScanBesidePacking(t *testing.T) {
	dir := memoryDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 2000)
	done := make(chan error, 1)
	go func() {
		var err error
		for range 200 {
			if err == nil {
				err = l.Pack()
			}
		}
		done <- err
	}()
	for packing := true; packing; {
		select {
		case err := <-done:
			require.NoError(t, err)
			packing = false
		default:
		}
		requireFrom(t, dir, 1, 2000)
	}
	require.NotEmpty(t, packedSegments(t, dir))
}
