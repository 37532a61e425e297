package fsys

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// fromTheFirst has syncs that meet begun together from the first on.
func fromTheFirst(t *testing.T) {
	before := worthwhile
	worthwhile = 0
	met.Store(0)
	t.Cleanup(func() { worthwhile = before; met.Store(0) })
	ctx, err := newAIOContext(1)
	if err != nil {
		t.Skipf("io_setup: %v", err)
	}
	require.NotZero(t, ctx)
}

func TestSyncsAreMadeTogether(t *testing.T) {
	fromTheFirst(t)
	for _, n := range []int{1, 2, 3, 26} {
		files := openSome(t, OS, n)
		for range 20 {
			var syncs Syncs
			for i, f := range files {
				_, err := f.Write([]byte("more\n"))
				require.NoError(t, err)
				syncs.Add(f, i%2 == 0, nil)
			}
			list := syncs.list
			require.NoError(t, syncs.Run())
			require.Equal(t, n > 1, syncTogether(list))
		}
	}
}

// A descriptor without a sync is found by io_submit(2), or by the system call.
func TestSyncsOfWhatHasNone(t *testing.T) {
	fromTheFirst(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	for at := range 3 {
		met.Store(0)
		var syncs Syncs
		for i, f := range openSome(t, OS, 3) {
			want := error(nil)
			if i == at {
				f, want = Wrap(w), syscall.EINVAL
			}
			syncs.Add(f, false, func(err error) error { require.ErrorIs(t, err, want); return nil })
		}
		require.NoError(t, syncs.Run())
	}
}

func TestSyncsOfManyGoroutines(t *testing.T) {
	fromTheFirst(t)
	var group sync.WaitGroup
	for i, f := range openSome(t, OS, 26) {
		group.Go(func() {
			for range 50 {
				_, err := f.Write([]byte("more\n"))
				if err == nil && i%2 == 0 {
					err = f.Datasync()
				} else if err == nil {
					var syncs Syncs
					syncs.Add(f, true, nil)
					syncs.Add(f, false, nil)
					err = syncs.Run()
				}
				if err != nil {
					t.Errorf("%s: %v", f.Name(), err)
				}
			}
		})
	}
	group.Wait()
	require.Zero(t, syncing.Load())
	require.Len(t, shared().free, mostWaiting, "every one was given back")
}

// A disk that fails says so, whichever way it is asked: a loop device whose file
// lies in a file system without room for it.
func TestSyncsTellOfAFailedDisk(t *testing.T) {
	fromTheFirst(t)
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Skipf("needs root and a loop device: %s %v: %v: %s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("mount", "-t", "tmpfs", "-o", "size=64k", "none", dir)
	t.Cleanup(func() { run("umount", dir) })
	image := filepath.Join(dir, "image")
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, 16<<20))
	device := run("losetup", "--find", "--show", image)
	t.Cleanup(func() { run("losetup", "--detach", device) })

	broken := func() File {
		f, err := OS.OpenFile(device, os.O_RDWR, 0)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		_, err = f.WriteAt(make([]byte, 1<<20), 0)
		require.NoError(t, err, "it is in memory only")
		return f
	}
	good := openSome(t, OS, 2)
	for at := range 3 {
		list := slices.Insert(slices.Clone(good), at, broken())
		var syncs Syncs
		for i, f := range list {
			syncs.Add(f, true, func(err error) error {
				if i != at {
					require.NoError(t, err)
					return nil
				}
				require.ErrorIs(t, err, syscall.EIO)
				require.ErrorContains(t, err, "fdatasync "+device)
				return nil
			})
		}
		require.NoError(t, syncs.Run())
	}
	f := broken()
	err, begun := syncAmongOthers(f.(osFile).File, true)
	require.True(t, begun)
	require.ErrorIs(t, err, syscall.EIO, "waited for as for a socket")
}

// Where the runtime can't poll the eventfd, here since it does already, it is waited for in
// a system call.
func TestSyncsWithoutAPoller(t *testing.T) {
	fromTheFirst(t)
	s := newSubmitter()
	require.NotNil(t, s)
	s.ended = os.NewFile(uintptr(s.fd), "again")
	before := shared
	shared = func() *submitter { return s }
	defer func() { shared = before }()
	var group sync.WaitGroup
	for _, f := range openSome(t, OS, 8) {
		group.Go(func() {
			for range 20 {
				_, err := f.Write([]byte("more"))
				err2, begun := syncAmongOthers(f.(osFile).File, true)
				if err != nil || err2 != nil || !begun {
					t.Errorf("%v, %v, %v", err, err2, begun)
				}
			}
		})
	}
	group.Wait()
}
