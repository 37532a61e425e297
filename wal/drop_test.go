package wal

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

// filesOf are the segments of a journal as they stand, by name.
func filesOf(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	journal, gen, err := JournalDir(fsys.OS, dir)
	require.NoError(t, err)
	list, err := listJournal(fsys.OS, journal, gen)
	require.NoError(t, err)
	files := map[string]os.FileInfo{}
	for _, seg := range list.segments {
		info, err := os.Lstat(seg.path)
		require.NoError(t, err)
		files[filepath.Base(seg.path)] = info
	}
	return files
}

// shared counts the files of one journal that the other has under the same name.
func shared(one, other map[string]os.FileInfo) (n int) {
	for name, info := range one {
		if was, ok := other[name]; ok && os.SameFile(info, was) {
			n++
		}
	}
	return n
}

// TestDropBeforeLinks: the segments behind the cut are the same files, compressed or not,
// in groups or not; but for the last one, which is appended to.
func TestDropBeforeLinks(t *testing.T) {
	for name, packs := range map[string]bool{"plain": false, "compressed": true} {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			l := open(t, dir, testOptions())
			for n := range 600 {
				commit(t, l, mixed(n+1))
				if packs {
					require.NoError(t, l.Pack())
				}
			}
			for _, from := range []int{61, 301} {
				before := filesOf(t, dir)
				tail := filepath.Base(l.tailPath())
				require.NoError(t, l.DropBefore(LSN(from), nil, nil))
				after := filesOf(t, dir)
				require.Equal(t, len(after)-2, shared(after, before), "all but the first and the last")
				require.False(t, os.SameFile(before[tail], after[filepath.Base(l.tailPath())]), "what is appended to has one name")
				requireFrom(t, dir, from, int(l.State().Last))
				for range 40 {
					commit(t, l, mixed(int(l.State().Last)+1))
				}
				requireFrom(t, dir, from, int(l.State().Last))
			}
			last := int(l.State().Last)
			require.NoError(t, l.Close())
			forget(t, dir, 0)
			l = open(t, dir, Options{Boot: [16]byte{9}, SegmentSize: 2000})
			require.Equal(t, LSN(last), l.State().Last)
			require.NoError(t, l.Pack())
			commit(t, l, mixed(last+1))
			requireFrom(t, dir, 301, last+1)
		})
	}
}

// TestDropBeforeMakesAnImage: a patch becomes an image, and what is behind it stays as it
// is and is checked on.
func TestDropBeforeMakesAnImage(t *testing.T) {
	dir := memoryDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 200)
	before := filesOf(t, dir)
	require.NoError(t, l.DropBefore(55, []byte(`{"a":55}`), nil))
	require.Greater(t, shared(filesOf(t, dir), before), 3)
	first, err := ReadRecord(fsys.OS, dir, 55)
	require.NoError(t, err)
	require.Equal(t, KindImage, first.Kind)
	require.Equal(t, `{"a":55}`, string(first.Image))
	require.Equal(t, mixed(55).Txns, first.Txns)
	require.Equal(t, FlagRemade, first.Flags&FlagRemade)
	commit(t, l, mixed(201))
	report, err := Inspect(fsys.OS, dir)
	require.NoError(t, err)
	require.Empty(t, report.Damage)

	// It may be dropped in turn, and be made anew with all behind it.
	require.NoError(t, l.Rebuild(55, nil, same))
	recs, err := scanAll(dir)
	require.NoError(t, err)
	require.Len(t, recs, 201-55+2)
	require.NoError(t, l.DropBefore(61, nil, nil))
	requireFrom(t, dir, 61, 201)
}

// TestDropBeforeWithoutLinks: where there are none, segments are copied.
func TestDropBeforeWithoutLinks(t *testing.T) {
	for _, refusal := range []error{syscall.EPERM, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EMLINK, syscall.EXDEV} {
		t.Run(refusal.Error(), func(t *testing.T) {
			dir := memoryDir(t)
			opt := testOptions()
			refuses := fsys.NewFailing(opt.FS, fsys.Fault{Ops: []string{"link"}, Err: refusal, Forever: true})
			opt.FS = refuses
			l := open(t, dir, opt)
			buildMixed(t, l, 200)
			before := filesOf(t, dir)
			require.NoError(t, l.DropBefore(61, nil, nil))
			require.Greater(t, refuses.Failed(), 3)
			require.Zero(t, shared(filesOf(t, dir), before))
			requireFrom(t, dir, 61, 200)
		})
	}
}

// TestDropBeforeSaysWhatItNeeds: little with links, and all that is kept without.
func TestDropBeforeSaysWhatItNeeds(t *testing.T) {
	need := func(ops ...string) (n int64) {
		dir := memoryDir(t)
		l := open(t, dir, testOptions())
		buildMixed(t, l, 600)
		require.NoError(t, l.Close())
		opt := testOptions()
		opt.FS = fsys.NewFailing(opt.FS, fsys.Fault{Ops: []string{"write"}, Err: syscall.ENOSPC, Forever: true})
		for _, op := range ops {
			opt.FS = fsys.NewFailing(opt.FS, fsys.Fault{Ops: []string{op}, Err: syscall.EPERM, Forever: true})
		}
		l = open(t, dir, opt)
		k := keeper{from: 61, copied: len(ops) > 0}
		n, err := k.need(l)
		require.NoError(t, err)
		err = l.DropBefore(61, nil, nil)
		require.True(t, errors.Is(err, syscall.ENOSPC))
		require.ErrorContains(t, err, " bytes are needed until the old journal is removed")
		requireFrom(t, dir, 1, 600)
		return n
	}
	require.Greater(t, need("link"), 10*need())
}

// TestDropBeforeRefusesDamage: what is kept is checked, also where it is not copied.
func TestDropBeforeRefusesDamage(t *testing.T) {
	dir := memoryDir(t)
	l := open(t, dir, testOptions())
	buildMixed(t, l, 300)
	paths := segments(t, dir)
	mutate(t, paths[len(paths)/2], func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	require.ErrorIs(t, l.DropBefore(61, nil, nil), ErrCorrupt)
	require.NoDirExists(t, filepath.Join(dir, "wal.1.tmp"))
}
