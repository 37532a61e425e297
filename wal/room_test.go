package wal

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

func roomyOptions() Options { return Options{Boot: boot, SegmentSize: 4000} }

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}

func TestRoomIsMadeForARun(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, roomyOptions())
	for i := 1; i < roomAfter; i++ {
		commit(t, l, patch(i))
		require.Equal(t, l.State().Offset, sizeOf(t, l.tailPath()))
	}
	n := roomAfter
	commit(t, l, patch(n))
	first := l.State().Segment
	for ; l.State().Segment == first && l.State().Offset < 4000; n++ {
		require.Equal(t, max(4000, l.State().Offset), sizeOf(t, l.tailPath()), "the file doesn't grow")
		requireWhole(t, dir, n)
		report, err := Inspect(fsys.OS, dir)
		require.NoError(t, err)
		require.False(t, report.Torn)
		commit(t, l, patch(n+1))
	}
	for ; l.State().Segment == first; n++ {
		commit(t, l, patch(n+1))
	}
	full := segmentPath(l.journal(), 0, first)
	require.GreaterOrEqual(t, sizeOf(t, full), int64(4000), "a full segment has no room left")

	for range roomAfter {
		n++
		commit(t, l, patch(n))
	}
	require.NoError(t, l.CutRoom())
	require.Equal(t, l.State().Offset, sizeOf(t, l.tailPath()))
	require.NoError(t, l.CutRoom(), "there is none")
	commit(t, l, patch(n+1))
	again := open(t, dir, roomyOptions())
	require.True(t, again.Trusted())
	require.Zero(t, again.Cut())
	requireWhole(t, dir, n+1)
}

// Who dies leaves its room, and the next one cuts it. Where the state was settled that
// is all there is to do.
func TestRoomOfTheDeadIsCut(t *testing.T) {
	for behind := range 6 {
		pending := behind%2 == 1
		dir := fileDir(t)
		l := open(t, dir, roomyOptions())
		n := roomAfter + behind
		for i := range n {
			commit(t, l, patch(i+1))
		}
		if pending {
			require.NoError(t, l.MarkPending())
		}
		require.NoError(t, l.Close())
		require.EqualValues(t, 4000, sizeOf(t, l.tailPath()))
		other := open(t, dir, roomyOptions())
		require.Equal(t, !pending, other.Trusted())
		require.Equal(t, pending, other.Cut().Blank)
		require.Equal(t, pending, other.Cut().Bytes > 0)
		require.Equal(t, l.State().Offset, sizeOf(t, l.tailPath()))
		commit(t, other, patch(n+1))
		require.NoError(t, other.CutRoom())
		require.NoError(t, other.Refresh())
		require.Zero(t, other.Cut(), "it is said once")
		requireWhole(t, dir, n+1)
	}
}

// A failed sync is not made again, of the same file, when the room behind the record is
// cut: the record goes into another file, which may be whole where this one is not.
func TestRoomIsNotSyncedAgain(t *testing.T) {
	dir := fileDir(t)
	fsy := fsys.NewFailing(fsys.OS, fsys.Fault{Call: roomAfter + 1, Ops: []string{"datasync"}, Lie: true})
	opt := roomyOptions()
	opt.FS = fsy
	l := open(t, dir, opt)
	n := LSN(0)
	var err error
	for err == nil {
		n++
		err = tryCommit(l, patch(int(n)))
	}
	require.ErrorIs(t, err, syscall.EIO)
	require.Greater(t, n, LSN(roomAfter))
	require.NoError(t, l.Reopen())
	require.Equal(t, n, l.State().Durable)
	require.Empty(t, fsy.Lied())
}

// A length that has rotted is found before a large record goes behind it, as it is before
// a small one.
func TestRottedLengthBeforeARecord(t *testing.T) {
	for name, rec := range map[string]*Record{"small": patch(4), "large": image(4, `"`+strings.Repeat("x", 5000)+`"`)} {
		t.Run(name, func(t *testing.T) {
			dir := fileDir(t)
			l := open(t, dir, roomyOptions())
			for n := range 3 {
				commit(t, l, patch(n+1))
			}
			require.NoError(t, l.Close())
			mutate(t, tailSegment(t, dir), func(b []byte) []byte { b[0] ^= 1; return b })
			l = open(t, dir, roomyOptions())
			require.True(t, l.Trusted())
			require.ErrorIs(t, tryCommit(l, rec), ErrCorrupt)
		})
	}
}

// A record that finds less room than it needs, or none, makes the file grow.
func TestRoomTooSmall(t *testing.T) {
	for _, size := range []int{2000, 3500, 70_000} {
		dir := fileDir(t)
		l := open(t, dir, roomyOptions())
		for i := range roomAfter + 1 {
			commit(t, l, patch(i+1))
		}
		commit(t, l, image(roomAfter+2, `"`+strings.Repeat("x", size)+`"`))
		commit(t, l, patch(roomAfter+3))
		recs, err := scanAll(dir)
		require.NoError(t, err)
		require.Len(t, recs, roomAfter+3)
		require.NoError(t, l.CutRoom())
		require.Equal(t, l.State().Offset, sizeOf(t, l.tailPath()))
	}
}

// The disk may have no room for room: then commits go on without.
func TestNoRoomOnDisk(t *testing.T) {
	dir := fileDir(t)
	// The zeros are the only write of that size; tidwall/wal's don't come through here.
	fsy := &noRoomFS{FS: fsys.OS}
	opt := roomyOptions()
	opt.FS = fsy
	l := open(t, dir, opt)
	for i := range 2*roomAfter + 1 {
		commit(t, l, patch(i+1))
		require.Equal(t, l.State().Offset, sizeOf(t, l.tailPath()))
	}
	require.Equal(t, 2, fsy.refused)
	requireWhole(t, dir, 2*roomAfter+1)

	fsy.truncate = syscall.EIO
	n := 2*roomAfter + 1
	var err error
	for ; err == nil; n++ {
		err = tryCommit(l, patch(n+1))
	}
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorIs(t, l.Append(patch(n+1)), ErrFailed)
	fsy.truncate = nil
	require.NoError(t, l.Reopen())
	require.EqualValues(t, n, l.State().Last, "the record is there, and its like may be aborted")
}

// noRoomFS refuses large writes, of which it makes a part.
type noRoomFS struct {
	fsys.FS
	refused  int
	truncate error
}

func (f *noRoomFS) OpenFile(name string, flag int, perm os.FileMode) (fsys.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &noRoomFile{File: file, fs: f}, nil
}

type noRoomFile struct {
	fsys.File
	fs *noRoomFS
}

func (f *noRoomFile) WriteAt(b []byte, off int64) (int, error) {
	if len(b) <= stateSize {
		return f.File.WriteAt(b, off)
	}
	f.fs.refused++
	n, err := f.File.WriteAt(b[:len(b)/2], off)
	if err != nil {
		return n, err
	}
	return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
}

func (f *noRoomFile) Truncate(size int64) error {
	if f.fs.truncate != nil {
		return &os.PathError{Op: "truncate", Path: f.Name(), Err: f.fs.truncate}
	}
	return f.File.Truncate(size)
}
