package wal

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

func TestScanFrom(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 50)
	for from := LSN(0); from <= 52; from++ {
		next := max(from, 1)
		for r, err := range Scan(nil, dir, from) {
			require.NoError(t, err)
			requirePatch(t, r, int(next))
			next++
		}
		require.Equal(t, max(51, from), next)
	}
	for range Scan(nil, dir, 1) {
		break // and nothing is yielded after that
	}
}

func TestScanBack(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 50)
	for _, from := range []LSN{0, 1, 2, 30, 49, 50, 51} {
		next := from
		if from == 0 || from > 50 {
			next = 50
		}
		for r, err := range ScanBack(nil, dir, from) {
			require.NoError(t, err)
			requirePatch(t, r, int(next))
			next--
		}
		require.Zero(t, next)
	}
}

// The newest records can be read though an old segment is damaged.
func TestScanBackReadsOnlyWhatIsAskedFor(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 50)
	require.NoError(t, os.Truncate(segments(t, dir)[0], 10))
	n := 0
	for _, err := range ScanBack(nil, dir, 0) {
		require.NoError(t, err)
		if n++; n == 30 {
			break
		}
	}
	r, err := ReadRecord(nil, dir, 50)
	require.NoError(t, err)
	requirePatch(t, r, 50)
}

func TestReadRecord(t *testing.T) {
	dir := fileDir(t)
	_, err := ReadRecord(nil, dir, 1)
	require.ErrorIs(t, err, ErrNotFound)
	build(t, dir, 30)
	for i := 1; i <= 30; i++ {
		r, err := ReadRecord(nil, dir, LSN(i))
		require.NoError(t, err)
		requirePatch(t, r, i)
	}
	_, err = ReadRecord(nil, dir, 31)
	require.ErrorIs(t, err, ErrNotFound)
}

// TestReaderAlongsideAWriter: tails come, are torn, cut and written anew under the
// reader, and segments follow one another; it sees whole records, always the same
// number under the same LSN once that is durable, and never damage.
func TestReaderAlongsideAWriter(t *testing.T) {
	dir := memoryDir(t)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() { readWhole(t, dir, stop) })
	}
	for i := 1; i <= 400; i++ {
		l, err := Open(dir, testOptions())
		require.NoError(t, err)
		commit(t, l, patch(i))
		require.NoError(t, l.Close())
		if i%7 == 0 {
			tearTail(t, dir)
		}
	}
	close(stop)
	readers.Wait()
	requireWhole(t, dir, 400)
}

// tearTail does what a process killed in the middle of a write leaves.
func tearTail(t *testing.T, dir string) {
	t.Helper()
	l := open(t, dir, testOptions())
	require.NoError(t, l.MarkPending())
	require.NoError(t, l.Close())
	f, err := os.OpenFile(tailSegment(t, dir), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.Write([]byte("\x9e\x01jtxr\x01\x01 and no more"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func readWhole(t *testing.T, dir string, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		n := 0
		for r, err := range Scan(fsys.OS, dir, 1) {
			if n++; err != nil || r.Rev != uint64(n) {
				t.Errorf("record %d: %v, %v", n, r, err)
				return
			}
		}
	}
}

// interposed does something once, when a path is listed or opened for the first time.
type interposed struct {
	fsys.FS
	when string
	do   func()
}

func (f *interposed) meet(path string) {
	if do := f.do; do != nil && path == f.when {
		f.do = nil
		do()
	}
}

func (f *interposed) ReadDir(name string) ([]os.DirEntry, error) {
	f.meet(name)
	return f.FS.ReadDir(name)
}

func (f *interposed) OpenFile(name string, flag int, perm os.FileMode) (fsys.File, error) {
	f.meet(name)
	return f.FS.OpenFile(name, flag, perm)
}

// Compaction may replace the journal at any step of a reader.
func TestReaderMeetsCompaction(t *testing.T) {
	pristine := fileDir(t)
	build(t, pristine, 40)
	for i := range len(segments(t, pristine)) + 1 {
		dir := copyTree(t, pristine)
		when := dir
		if i > 0 {
			when = segments(t, dir)[i-1]
		}
		fsy := &interposed{FS: fsys.OS, when: when, do: func() {
			moveGen(t, dir, "wal.1")
		}}
		next := 1
		for r, err := range Scan(fsy, dir, 1) {
			require.NoError(t, err)
			requirePatch(t, r, next)
			next++
		}
		require.Equal(t, 41, next)
		require.Nil(t, fsy.do)
	}
}

// listed notes what is looked at.
type listed struct {
	fsys.FS
	names []string
}

func (f *listed) OpenFile(name string, flag int, perm os.FileMode) (fsys.File, error) {
	f.names = append(f.names, "open "+filepath.Base(name))
	return f.FS.OpenFile(name, flag, perm)
}

func (f *listed) Lstat(name string) (os.FileInfo, error) {
	f.names = append(f.names, "lstat "+filepath.Base(name))
	return f.FS.Lstat(name)
}

func (f *listed) ReadDir(name string) ([]os.DirEntry, error) {
	f.names = append(f.names, "list "+filepath.Base(name))
	return f.FS.ReadDir(name)
}

func TestTrustedOpenLooksAtTwoFiles(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 50)
	fsy := &listed{FS: fsys.Anonymous(fsys.OS)}
	opt := testOptions()
	opt.FS = fsy
	l := open(t, dir, opt)
	tail := filepath.Base(tailSegment(t, dir))
	require.Equal(t, []string{"open lock", "lstat " + tail}, fsy.names)
	commit(t, l, patch(51))
	require.Equal(t, []string{"open lock", "lstat " + tail, "open " + tail}, fsy.names)
}
