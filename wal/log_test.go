package wal

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

func TestOpenCreatesNothing(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	require.True(t, l.Empty())
	require.True(t, l.Trusted())
	require.True(t, l.Known())
	require.NoError(t, l.Sync())
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, names)
	_, err = l.Read(1)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestCommitAndReopen(t *testing.T) {
	dir := fileDir(t)
	for i := 1; i <= 50; i++ {
		l := open(t, dir, testOptions())
		require.True(t, l.Trusted(), "record %d", i)
		require.Equal(t, LSN(i-1), l.State().Last)
		commit(t, l, patch(i))
		require.NoError(t, l.Close())
	}
	requireWhole(t, dir, 50)
	require.Greater(t, len(segments(t, dir)), 3)

	s, ok, err := ReadState(fsys.OS, dir)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, LSN(50), s.Durable)
	require.Equal(t, uint64(50), s.Rev)
	require.Equal(t, FileID{Ino: 7, Size: 8}, s.File)
	require.Equal(t, patch(50).After, s.Content)
}

func TestKeptHandle(t *testing.T) {
	dir := fileDir(t)
	a := open(t, dir, testOptions())
	b := open(t, dir, testOptions())
	for i := 1; i <= 60; i += 3 {
		require.NoError(t, a.Refresh())
		require.True(t, a.Trusted())
		commit(t, a, patch(i), patch(i+1))
		require.NoError(t, b.Refresh())
		require.True(t, b.Trusted())
		commit(t, b, patch(i+2))
	}
	requireWhole(t, dir, 60)
}

func TestRefreshFindsACrash(t *testing.T) {
	dir := fileDir(t)
	a := open(t, dir, testOptions())
	commit(t, a, patch(1))
	b := open(t, dir, testOptions())
	require.NoError(t, b.Append(patch(2)))
	require.NoError(t, b.Close()) // without Sync, without Settle

	require.NoError(t, a.Refresh())
	require.False(t, a.Trusted())
	require.True(t, a.Known())
	require.Equal(t, LSN(2), a.State().Last)
	require.Equal(t, LSN(1), a.State().Durable)
	require.Equal(t, LSN(1), a.State().Applied)
	require.NoError(t, a.Secure())
	require.Equal(t, LSN(2), a.State().Durable)
	commit(t, a, patch(3))
	require.True(t, a.Trusted())
	requireWhole(t, dir, 3)
}

func TestGroups(t *testing.T) {
	dir := fileDir(t)
	opt := testOptions()
	opt.SegmentSize = 1 // a segment for each record
	const n = 2*groupSegments + 5
	for i := range n {
		l := open(t, dir, opt)
		require.True(t, l.Trusted())
		commit(t, l, patch(i+1))
		require.NoError(t, l.Close())
	}
	requireWhole(t, dir, n)
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, names, groupSegments+2+1) // and the lock

	forget(t, dir, n)
	l := open(t, dir, opt)
	require.Equal(t, LSN(n), l.State().Last)
	commit(t, l, patch(n+1))
	requireWhole(t, dir, n+1)
}

func TestModesAreExact(t *testing.T) {
	dir := fileDir(t)
	opt := testOptions()
	opt.SegmentSize, opt.FilePerm, opt.DirPerm = 1, 0o666, 0o777|os.ModeSetgid
	l := open(t, dir, opt)
	for i := range groupSegments + 1 {
		commit(t, l, patch(i+1))
	}
	require.NoError(t, l.Append(patch(groupSegments+2)))
	require.NoError(t, l.Secure())
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		switch {
		case path == dir:
		case d.IsDir():
			require.Equal(t, os.ModeDir|opt.DirPerm, info.Mode(), path)
		default:
			files++
			require.Equal(t, opt.FilePerm, info.Mode(), path)
		}
		return nil
	}))
	require.Equal(t, groupSegments+2+1, files)
}

func TestImageBookkeeping(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	commit(t, l, image(1, "{}"), patch(2), image(3, `{"b":1}`), patch(4))
	require.Equal(t, LSN(3), l.State().Image)
	since := l.State().SinceImage
	require.Positive(t, since)

	bad := image(5, "[]")
	abort := &Record{Kind: KindAbort, Rev: 4, Unit: bad.Unit}
	require.NoError(t, l.Append(bad))
	require.Equal(t, LSN(5), l.State().Image)
	require.Zero(t, l.State().SinceImage)
	require.NoError(t, l.Append(abort))
	require.Equal(t, LSN(3), l.State().Image, "an aborted image is no image")
	require.Greater(t, l.State().SinceImage, since)
	want := l.State()
	require.NoError(t, l.Close())

	for name, prepare := range map[string]func(){
		"pending":      func() {},
		"another boot": func() { forget(t, dir, 4) },
		"no state":     func() { require.NoError(t, os.Remove(filepath.Join(dir, stateName))) },
	} {
		t.Run(name, func(t *testing.T) {
			prepare()
			got := open(t, dir, testOptions()).State()
			require.Equal(t, want.Image, got.Image)
			require.Equal(t, want.SinceImage, got.SinceImage)
			require.Equal(t, want.Rev, got.Rev)
			require.Equal(t, want.CRC, got.CRC)
			require.Equal(t, want.Offset, got.Offset)
		})
	}
}

func TestLazyRecordsAreNotDurable(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	for i := 1; i <= 3; i++ {
		r := patch(i)
		r.Flags = FlagLazy
		require.NoError(t, l.Append(r))
		require.NoError(t, l.Settle(r.LSN, FileID{Ino: 1}, r.After, false))
	}
	require.NoError(t, l.Close())

	l = open(t, dir, testOptions())
	require.True(t, l.Trusted(), "a settled state means that no sync has failed")
	require.Zero(t, l.State().Durable)
	r := patch(4)
	require.NoError(t, l.Append(r))
	require.Zero(t, r.Durable)
	require.NoError(t, l.Sync())
	require.Equal(t, LSN(4), l.State().Durable)
}

func TestInvalidRecordsAreRefusedBeforeAnythingIsWritten(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	bad := patch(2)
	bad.Image = []byte("x")
	require.ErrorIs(t, l.Append(patch(1), bad), ErrInvalid)
	require.True(t, l.Empty())
	commit(t, l, patch(1))
}

func TestClosed(t *testing.T) {
	l := open(t, fileDir(t), testOptions())
	require.NoError(t, l.Close())
	for _, err := range []error{l.Append(patch(1)), l.Sync(), l.MarkPending(), l.Refresh(), l.Reopen(), l.Secure()} {
		require.ErrorIs(t, err, ErrClosed)
	}
}

func TestGenerations(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 20)
	moveGen(t, dir, "wal.7")
	requireWhole(t, dir, 20)
	l := open(t, dir, testOptions())
	require.Equal(t, uint32(7), l.State().Gen)
	commit(t, l, patch(21))
	require.NoError(t, l.Close())
	require.True(t, open(t, dir, testOptions()).Trusted())
	requireWhole(t, dir, 21)

	// The greatest that is one counts.
	for _, name := range []string{"wal", "wal.0", "wal.07", "wal.x", "wal.8.tmp", "wal.4294967296", "wal.6"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		_, gen, err := JournalDir(fsys.OS, dir)
		require.NoError(t, err)
		require.Equal(t, uint32(7), gen, name)
	}
	require.NoError(t, os.Symlink("wal.7", filepath.Join(dir, "wal.9")))
	_, _, err := JournalDir(fsys.OS, dir)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestDescriptorsAreClosed(t *testing.T) {
	count := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		return len(names)
	}
	dir := fileDir(t)
	build(t, dir, 3)
	before := count()
	for i := range 50 {
		l, err := Open(dir, testOptions())
		require.NoError(t, err)
		commit(t, l, patch(4+i))
		require.NoError(t, l.Close())
	}
	require.LessOrEqual(t, count(), before+2)
}

// namesFS counts the directories that are listed.
type namesFS struct {
	fsys.FS
	listed int
}

func (f *namesFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.listed++
	return f.FS.ReadDir(name)
}

// The last record is read from where the state says it is, whoever wrote it, and
// however the log came to know the tail.
func TestReadLast(t *testing.T) {
	dir := fileDir(t)
	names := &namesFS{FS: fsys.OS}
	opt := testOptions()
	opt.FS = names
	for i := 1; i <= 50; i++ {
		l := open(t, dir, opt)
		commit(t, l, patch(i))
		require.NoError(t, l.Close())

		l = open(t, dir, opt)
		names.listed = 0
		rec, err := l.Read(LSN(i))
		require.NoError(t, err)
		requirePatch(t, rec, i)
		require.Zero(t, names.listed)
		require.NoError(t, l.Close())
	}
	require.NoError(t, os.Remove(filepath.Join(dir, stateName)))
	l := open(t, dir, opt)
	names.listed = 0
	rec, err := l.Read(50)
	require.NoError(t, err)
	requirePatch(t, rec, 50)
	require.Zero(t, names.listed)

	// Another generation's tail is read as a whole once.
	require.NoError(t, l.Settle(50, FileID{Ino: 7}, patch(50).After, false))
	commit(t, l, image(51, "{}"), patch(52))
	require.NoError(t, l.DropBefore(51, nil, nil))
	rec, err = l.Read(52)
	require.NoError(t, err)
	requirePatch(t, rec, 52)
}

// What is not the record that the state tells of is damage.
func TestReadLastThatRotted(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 5)
	l := open(t, dir, testOptions())
	mutate(t, tailSegment(t, dir), func(b []byte) []byte { return flip(8*(len(b)-20), b) })
	_, err := l.Read(5)
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = l.Read(4)
	require.NoError(t, err)
}

// A state that names no record leads to none, and to no file that isn't there.
func TestTailOfNothing(t *testing.T) {
	rec, err := Tail(fsys.OS, fileDir(t), State{})
	require.NoError(t, err)
	require.Nil(t, rec)
}
