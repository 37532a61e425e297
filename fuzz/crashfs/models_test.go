package crashfs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// record runs steps on a directory that holds "a" and "d/b", and returns the log.
func record(t *testing.T, inner fsys.FS, run func(r *Recorder, dir string)) *Log {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d/b"), []byte("b"), 0o600))
	r, err := NewRecorder(inner, dir)
	require.NoError(t, err)
	run(r, dir)
	return r.Log()
}

// disks lists the states after the whole log, each as "name=content" pairs.
func disks(log *Log, m Model) []string {
	h := newHistory(log)
	for range log.Events {
		h.advance()
	}
	sp := newSpace(h, m)
	seen := map[string]bool{}
	n := uint64(0)
	sp.each(1<<14, rand.New(rand.NewPCG(1, 1)), func(digits []int) bool {
		n++
		var tree []string
		s := sp.build(digits, rand.New(rand.NewPCG(n, n)), false)
		s.walk(rootID, "", func(path string, _ NodeID, node *inode, f found) {
			if node.kind != kindDir || len(s.names) == 0 {
				tree = append(tree, fmt.Sprintf("%s=%s", path[1:], f.data))
			}
		})
		seen[strings.Join(tree, " ")] = true
		return true
	})
	all := []string{}
	for d := range seen {
		all = append(all, d)
	}
	sort.Strings(all)
	return all
}

func write(t *testing.T, fsy fsys.FS, path, data string, sync bool) {
	t.Helper()
	f, err := fsy.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	require.NoError(t, err)
	_, err = f.Write([]byte(data))
	require.NoError(t, err)
	if sync {
		require.NoError(t, f.Sync())
	}
	require.NoError(t, f.Close())
}

func TestSyncedFileWithoutItsName(t *testing.T) {
	log := record(t, fsys.OS, func(r *Recorder, dir string) { write(t, r, dir+"/n", "new", true) })
	for _, m := range []Model{Ext4, XFS, POSIX} {
		require.Equal(t, []string{"a=old d/b=b", "a=old d/b=b n=new"}, disks(log, m), m.Name)
	}
	require.Equal(t, []string{"a=old d/b=b n=new"}, disks(log, Kill))
}

func TestSyncedNameWithoutItsData(t *testing.T) {
	log := record(t, fsys.OS, func(r *Recorder, dir string) {
		write(t, r, dir+"/n", "new", false)
		require.NoError(t, fsys.SyncDir(r, dir))
	})
	require.Equal(t, []string{"a=old d/b=b n=", "a=old d/b=b n=new"}, disks(log, Ext4))
	require.Equal(t, []string{"a=old d/b=b n=", "a=old d/b=b n=\x00\x00\x00", "a=old d/b=b n=new"}, disks(log, XFS))
	require.Greater(t, len(disks(log, POSIX)), 4, "torn and garbage")
	for _, d := range disks(log, POSIX) {
		require.Contains(t, d, " n=")
	}
}

func TestRenameWithinADirectory(t *testing.T) {
	log := record(t, fsys.OS, func(r *Recorder, dir string) {
		write(t, r, dir+"/n", "new", true)
		require.NoError(t, fsys.SyncDir(r, dir))
		require.NoError(t, r.Rename(dir+"/n", dir+"/a"))
	})
	whole := []string{"a=new d/b=b", "a=old d/b=b n=new"}
	require.Equal(t, whole, disks(log, Ext4))
	require.Equal(t, whole, disks(log, XFS))
	half := append(slices.Clone(whole), "a=new d/b=b n=new")
	slices.Sort(half)
	require.Equal(t, half, disks(log, POSIX))
}

func TestMoveBetweenDirectories(t *testing.T) {
	move := func(sync string) *Log {
		return record(t, fsys.OS, func(r *Recorder, dir string) {
			require.NoError(t, r.Rename(dir+"/a", dir+"/d/c"))
			if sync != "" {
				require.NoError(t, fsys.SyncDir(r, dir+sync))
			}
		})
	}
	require.Equal(t, []string{"a=old d/b=b", "a=old d/b=b d/c=old", "d/b=b", "d/b=b d/c=old"}, disks(move(""), POSIX))
	require.Equal(t, []string{"a=old d/b=b", "d/b=b d/c=old"}, disks(move(""), Ext4))
	require.Equal(t, []string{"a=old d/b=b d/c=old", "d/b=b d/c=old"}, disks(move("/d"), POSIX))
	require.Equal(t, []string{"d/b=b", "d/b=b d/c=old"}, disks(move("/"), POSIX))
}

func TestExchangeStates(t *testing.T) {
	log := record(t, fsys.OS, func(r *Recorder, dir string) {
		write(t, r, dir+"/n", "new", true)
		require.NoError(t, fsys.SyncDir(r, dir))
		if err := r.Exchange(dir+"/n", dir+"/a"); errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
	})
	whole := []string{"a=new d/b=b n=old", "a=old d/b=b n=new"}
	require.Equal(t, whole, disks(log, Ext4))
	strict := POSIX
	strict.HalfExchange = false
	require.Equal(t, whole, disks(log, strict))
	require.Len(t, disks(log, POSIX), 4)
}

func TestOrderedNamesArePrefixes(t *testing.T) {
	log := record(t, fsys.OS, func(r *Recorder, dir string) {
		write(t, r, dir+"/x", "", false)
		write(t, r, dir+"/d/y", "", false)
		require.NoError(t, fsys.SyncDir(r, dir+"/d"))
		require.NoError(t, r.Remove(dir+"/a"))
	})
	require.Equal(t, []string{"a=old d/b=b d/y= x=", "d/b=b d/y= x="}, disks(log, Ext4))
	require.Len(t, disks(log, POSIX), 4, "x and a are free, y is certain")
}

func TestDirectoryVanishesWithWhatIsInIt(t *testing.T) {
	log := record(t, fsys.OS, func(r *Recorder, dir string) {
		require.NoError(t, r.Mkdir(dir+"/e", 0o700))
		write(t, r, dir+"/e/f", "f", true)
		require.NoError(t, fsys.SyncDir(r, dir+"/e"))
		require.NoError(t, r.Rename(dir+"/e", dir+"/g"))
	})
	require.Equal(t, []string{"a=old d/b=b", "a=old d/b=b e/f=f", "a=old d/b=b g/f=f"}, disks(log, POSIX))
}

// failing fails the syncs that it is told to.
type failing struct {
	fsys.FS
	fail bool
}

type failingFile struct {
	fsys.File
	fs *failing
}

func (f *failing) OpenFile(name string, flag int, perm os.FileMode) (fsys.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	return &failingFile{file, f}, err
}

func (f *failingFile) Sync() error {
	if f.fs.fail {
		return &os.PathError{Op: "fsync", Path: f.Name(), Err: syscall.EIO}
	}
	return f.File.Sync()
}

func TestFailedSyncIsNotMendedByALaterOne(t *testing.T) {
	inner := &failing{FS: fsys.OS}
	log := record(t, inner, func(r *Recorder, dir string) {
		f, err := r.OpenFile(dir+"/a", os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("N"), 0)
		require.NoError(t, err)
		inner.fail = true
		require.ErrorIs(t, f.Sync(), syscall.EIO)
		inner.fail = false
		_, err = f.WriteAt([]byte("E"), 2)
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
	})
	require.Equal(t, []string{"a=NlE d/b=b", "a=olE d/b=b"}, disks(log, Ext4))
}

// TestSyncCoversWhatCameBefore writes while a sync is under way.
func TestSyncCoversWhatCameBefore(t *testing.T) {
	log := &Log{base: snapshot{
		nodes: map[NodeID]frozen{1: {kind: kindDir}, 2: {}},
		names: map[NodeID]map[string]NodeID{1: {"a": 2}},
	}, Events: []Event{
		{Op: OpWrite, Node: 2, Data: []byte("1"), Grows: true},
		{Op: OpWrite, Node: 2, Off: 1, Data: []byte("2"), Grows: true},
		{Op: OpDatasync, Node: 2, Since: 1},
	}}
	require.Equal(t, []string{"a=1", "a=12"}, disks(log, Ext4))
}

func TestChmodNeedsFullSync(t *testing.T) {
	modes := func(sync func(fsys.File) error) int {
		log := record(t, fsys.OS, func(r *Recorder, dir string) {
			f, err := r.OpenFile(dir+"/a", os.O_RDWR, 0)
			require.NoError(t, err)
			require.NoError(t, f.Chmod(0o640))
			require.NoError(t, sync(f))
			require.NoError(t, f.Close())
		})
		h := newHistory(log)
		for range log.Events {
			h.advance()
		}
		return newSpace(h, POSIX).size(100)
	}
	require.Equal(t, 2, modes(fsys.File.Datasync))
	require.Equal(t, 1, modes(fsys.File.Sync))
}

func TestTornAtSectors(t *testing.T) {
	big := strings.Repeat("x", 2000)
	log := record(t, fsys.OS, func(r *Recorder, dir string) {
		write(t, r, dir+"/n", big, false)
		require.NoError(t, fsys.SyncDir(r, dir))
	})
	for _, d := range disks(log, Ext4) {
		_, data, _ := strings.Cut(d, "n=")
		require.True(t, len(data)%sector == 0 || data == big, len(data))
	}
	for _, d := range disks(log, XFS) {
		_, data, _ := strings.Cut(d, "n=")
		require.Empty(t, strings.Trim(data, "x\x00"))
	}
}

func TestParallelUse(t *testing.T) {
	log := record(t, fsys.OS, func(r *Recorder, dir string) {
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for k := range 10 {
					path := fmt.Sprintf("%s/d/%d", dir, i)
					write(t, r, path, fmt.Sprint(k), true)
					if err := r.Rename(path, path+"r"); err != nil {
						t.Error(err)
					}
					r.Pointf("%d.%d", i, k)
				}
			})
		}
		wg.Wait()
	})
	require.Len(t, log.Points(len(log.Events)), 40)
	require.Equal(t, []string{"a=old d/0r=9 d/1r=9 d/2r=9 d/3r=9 d/b=b"}, disks(log, Kill))
}
