package wal

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// mixed is a patch, and every tenth time an image.
func mixed(n int) *Record {
	if n%10 == 1 {
		return image(n, fmt.Sprintf(`{"a":%d}`, n))
	}
	return patch(n)
}

func buildMixed(t testing.TB, l *Log, n int) {
	for i := range n {
		commit(t, l, mixed(i+1))
	}
}

// same rewrites nothing.
func same(r *Record) (*Record, error) { return r, nil }

// requireFrom checks that the journal holds mixed records from first to last, and
// nothing is wrong with it.
func requireFrom(t *testing.T, dir string, first, last int) {
	t.Helper()
	recs, err := scanAll(dir)
	require.NoError(t, err)
	if first > 1 {
		require.Equal(t, KindBegin, recs[0].Kind)
		require.Equal(t, LSN(first-1), recs[0].LSN)
		recs = recs[1:]
	}
	require.Len(t, recs, last-first+1)
	for i, r := range recs {
		want := mixed(first + i)
		require.Equal(t, LSN(first+i), r.LSN)
		require.Equal(t, want.Txns, r.Txns)
		require.Equal(t, string(want.Image), string(r.Image))
	}
	back := last
	for r, err := range ScanBack(fsys.OS, dir, 0) {
		require.NoError(t, err)
		require.Equal(t, LSN(back), r.LSN)
		back--
	}
	require.Equal(t, max(first-2, 0), back)
	report, err := Inspect(fsys.OS, dir)
	require.NoError(t, err)
	require.Empty(t, report.Damage)
	require.Empty(t, report.Temps)
}

func TestDropBeforeGoesOn(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 2500)
	_, segments, err := Usage(fsys.OS, dir)
	require.NoError(t, err)
	require.Greater(t, segments, 100)
	require.ErrorIs(t, l.DropBefore(302, nil, nil), ErrInvalid, "it begins with an image")
	for gen, from := range []int{301, 301, 2491} {
		require.NoError(t, l.DropBefore(LSN(from), nil, nil))
		require.Equal(t, uint32(gen+1), l.State().Gen)
		requireFrom(t, dir, from, int(l.State().Last))
		commit(t, l, mixed(int(l.State().Last)+1))
		require.NoError(t, l.Close())
		l = open(t, dir, testOptions())
		require.True(t, l.Trusted())
		_, err := l.Read(LSN(from - 2))
		require.ErrorIs(t, err, ErrNotFound)
	}
	requireFrom(t, dir, 2491, 2503)
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	var kept []string
	for _, e := range names {
		kept = append(kept, e.Name())
	}
	require.Equal(t, []string{"lock", "wal.3"}, kept)
	forget(t, dir, 0)
	l = open(t, dir, Options{Boot: [16]byte{9}, SegmentSize: 2000})
	require.Equal(t, LSN(2503), l.State().Last)
	require.Equal(t, LSN(2501), l.State().Image)
}

func TestRebuildPacks(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, Options{Boot: boot})
	buildMixed(t, l, 5000)
	before, _, err := Usage(fsys.OS, dir)
	require.NoError(t, err)
	require.NoError(t, l.Rebuild(1, nil, same))
	after, _, err := Usage(fsys.OS, dir)
	require.NoError(t, err)
	require.Less(t, after, before*2/3)
	requireFrom(t, dir, 1, 5000)
	t.Logf("%d bytes packed into %d", before, after)

	// A byte that rots is found.
	packed, err := filepath.Glob(filepath.Join(dir, "wal.1", "*.zst"))
	require.NoError(t, err)
	mutate(t, packed[0], func(b []byte) []byte { b[len(b)/2] ^= 4; return b })
	_, err = scanAll(dir)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestRebuildRewrites(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 50)
	require.NoError(t, l.Rebuild(1, nil, func(r *Record) (*Record, error) {
		r.Txns[0].Actor = "nobody"
		return r, nil
	}))
	recs, err := scanAll(dir)
	require.NoError(t, err)
	require.Len(t, recs, 50)
	for _, r := range recs {
		require.Equal(t, "nobody", r.Txns[0].Actor)
	}
	commit(t, l, mixed(51))
	report, err := Inspect(fsys.OS, dir)
	require.NoError(t, err)
	require.Empty(t, report.Damage)
}

// TestFailEveryCallOfRebuild fails call 0, 1, 2 …: afterwards the journal holds the
// kept records, and goes on, whether the old generation or the new one stands.
func TestFailEveryCallOfRebuild(t *testing.T) {
	for name, fault := range map[string]fsys.Fault{
		"once":     {Err: syscall.EIO},
		"for good": {Err: syscall.ENOSPC, Forever: true},
		"short":    {Err: syscall.ENOSPC, Short: true},
		"it lies":  {Err: syscall.EIO, Ops: []string{"sync", "datasync"}, Lie: true},
	} {
		goesOn := func(t *testing.T, dir string) (done bool) {
			l := open(t, dir, testOptions())
			commit(t, l, mixed(61))
			require.NoError(t, l.Close())
			first := 1
			if l.State().Gen > 0 {
				first = 21
			}
			requireFrom(t, dir, first, 61)
			return first == 21
		}
		failEveryCall(t, name+", linked", 60, fault, func(l *Log) error { return l.DropBefore(21, nil, nil) }, goesOn)
		failEveryCall(t, name+", rewritten", 60, fault, func(l *Log) error { return l.Rebuild(21, nil, same) }, goesOn)
	}
}

// failEveryCall does something to a journal of some records, with call 0, 1, 2 … failing,
// until none fails any more: then it must have been done. Check looks at what is left.
func failEveryCall(t *testing.T, name string, records int, fault fsys.Fault, do func(*Log) error, check func(t *testing.T, dir string) (done bool)) {
	t.Run(name, func(t *testing.T) {
		pristine := memoryDir(t)
		l := open(t, pristine, testOptions())
		buildMixed(t, l, records)
		require.NoError(t, l.Close())
		for k := 0; ; k++ {
			dir := copyTree(t, pristine)
			fault.Call = k
			failing := fsys.NewFailing(fsys.OS, fault)
			opt := testOptions()
			opt.FS = failing
			l, err := Open(dir, opt)
			if err == nil {
				err = do(l)
				require.NoError(t, l.Close())
			}
			done := check(t, dir)
			if failing.Failed() == 0 {
				require.NoError(t, err)
				require.True(t, done)
				return
			}
		}
	})
}

// What was not finished takes no room on a disk that is full.
func TestRebuildOnAFullDisk(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 60)
	require.NoError(t, l.Close())
	opt := testOptions()
	opt.FS = fsys.NewFailing(fsys.OS, fsys.Fault{Ops: []string{"write"}, Err: syscall.ENOSPC, Forever: true})
	l = open(t, dir, opt)
	require.ErrorIs(t, l.Rebuild(21, nil, same), syscall.ENOSPC)
	require.NoDirExists(t, filepath.Join(dir, "wal.1.tmp"))
	requireFrom(t, dir, 1, 60)
}

// What a generation had is gone when the next one is settled, be it by who opens the
// journal after a crash: it may have held what somebody took out of it.
func TestOldGenerationsDoNotStay(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 60)
	require.NoError(t, l.Close())
	opt := testOptions()
	opt.FS = fsys.NewFailing(fsys.OS, fsys.Fault{Ops: []string{"remove"}, Forever: true})
	l = open(t, dir, opt)
	require.Error(t, l.Rebuild(21, nil, same))
	require.NoError(t, l.Close())
	require.FileExists(t, filepath.Join(dir, lsnName(1)))
	l = open(t, dir, testOptions())
	require.NoFileExists(t, filepath.Join(dir, lsnName(1)))
	requireFrom(t, dir, 21, 60)
	commit(t, l, mixed(61))
	requireFrom(t, dir, 21, 61)
}
