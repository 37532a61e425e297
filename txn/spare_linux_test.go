package txn

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/txn/internal/hooks"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal/fsys"
)

// spareTest is a store with a file that was just changed several times in a row.
func spareTest(t *testing.T, o Options) (*Store, string) {
	t.Helper()
	old := parkTime
	parkTime = long
	t.Cleanup(func() { parkTime = old })
	s, file := groupTest(t, o)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for i := range 4 {
		do(t, s, setting(file, "/n", i), file)
	}
	return s, file
}

func sparesOf(t *testing.T, file string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(file), workspace.MetaDir, "files", filepath.Base(file), "spare*"))
	require.NoError(t, err)
	return list
}

func inode(t *testing.T, file string) uint64 {
	t.Helper()
	var st unix.Stat_t
	require.NoError(t, unix.Stat(file, &st))
	return st.Ino
}

func TestSparesTakeTurns(t *testing.T) {
	for level, turns := range map[Durability]int{Full: 2, Journal: 3, None: 0} {
		t.Run(level.String(), func(t *testing.T) {
			s, file := spareTest(t, Options{Durability: level})
			require.Len(t, sparesOf(t, file), max(0, turns-1))
			var inodes []uint64
			for i := range 9 {
				do(t, s, setting(file, "/n", strings.Repeat("x", 1000*(i%3))), file)
				inodes = append(inodes, inode(t, file))
				require.Equal(t, fmt.Sprintf("{\"n\": \"%s\"}\n", strings.Repeat("x", 1000*(i%3))), content(t, file))
			}
			if turns > 0 {
				for i := range inodes[turns:] {
					require.Equal(t, inodes[i], inodes[i+turns], inodes)
				}
			}
			do(t, another(t, s), setting(file, "/n", 1), file)
			require.Empty(t, sparesOf(t, file), "the locks were given to somebody else")
		})
	}
}

func requireMode(t *testing.T, file string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, want, info.Mode())
}

func setAttribute(t *testing.T, file, value string) {
	t.Helper()
	err := unix.Setxattr(file, "user.test", []byte(value), 0)
	if err == unix.ENOTSUP {
		t.Skip("this file system has no extended attributes")
	}
	require.NoError(t, err)
}

func attribute(t *testing.T, file string) string {
	t.Helper()
	var b [64]byte
	n, err := unix.Getxattr(file, "user.test", b[:])
	if err == unix.ENODATA || err == unix.ENOTSUP {
		return ""
	}
	require.NoError(t, err)
	return string(b[:n])
}

// A spare that somebody could see change is not overwritten, and the file keeps what
// is said of it.
func TestSparesAreLeftAlone(t *testing.T) {
	for name, begin := range map[string]func(*testing.T, string) (check func()){
		"a reader has it open": func(t *testing.T, file string) func() {
			f, err := os.Open(file)
			require.NoError(t, err)
			before := content(t, file)
			return func() {
				got, err := io.ReadAll(f)
				require.NoError(t, err)
				require.Equal(t, before, string(got))
				require.NoError(t, f.Close())
			}
		},
		"it is mapped": func(t *testing.T, file string) func() {
			before := content(t, file)
			f, err := os.Open(file)
			require.NoError(t, err)
			mapped, err := unix.Mmap(int(f.Fd()), 0, len(before), unix.PROT_READ, unix.MAP_SHARED)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			return func() {
				require.Equal(t, before, string(mapped))
				require.NoError(t, unix.Munmap(mapped))
			}
		},
		"a copy was made of hard links": func(t *testing.T, file string) func() {
			var copies []string
			for _, spare := range sparesOf(t, file) {
				copies = append(copies, file+filepath.Base(spare))
				require.NoError(t, os.Link(spare, copies[len(copies)-1]))
			}
			require.NotEmpty(t, copies)
			before := content(t, copies[0])
			return func() { require.Equal(t, before, content(t, copies[0])) }
		},
		"the file's mode was changed": func(t *testing.T, file string) func() {
			require.NoError(t, os.Chmod(file, 0o640))
			return func() { requireMode(t, file, 0o640) }
		},
		"a spare's mode was changed": func(t *testing.T, file string) func() {
			for _, name := range sparesOf(t, file) {
				require.NoError(t, os.Chmod(name, 0o666))
			}
			return func() { requireMode(t, file, 0o644) }
		},
		"an attribute was set": func(t *testing.T, file string) func() {
			setAttribute(t, file, "1")
			return func() { require.Equal(t, "1", attribute(t, file)) }
		},
		"a spare got an attribute": func(t *testing.T, file string) func() {
			for _, name := range sparesOf(t, file) {
				setAttribute(t, name, "1")
			}
			return func() { require.Empty(t, attribute(t, file)) }
		},
		"a spare has another value of an attribute": func(t *testing.T, file string) func() {
			for i, name := range append(sparesOf(t, file), file) {
				setAttribute(t, name, fmt.Sprint(i))
			}
			want := attribute(t, file)
			return func() { require.Equal(t, want, attribute(t, file)) }
		},
	} {
		for _, level := range []Durability{Full, Journal} {
			t.Run(name+"/"+level.String(), func(t *testing.T) {
				s, file := spareTest(t, Options{Durability: level})
				check := begin(t, file)
				for i := range 5 { // so that the file is one that was a spare
					do(t, s, setting(file, "/n", i+10), file)
				}
				require.Equal(t, "{\"n\": 14}\n", content(t, file))
				check()
			})
		}
	}
}

// slowFS writes spares in two halves, with a call between them.
type slowFS struct {
	fsys.FS
	between func(name string)
}

type slowFile struct {
	fsys.File
	fs *slowFS
}

func (s *slowFS) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	f, err := s.FS.OpenFile(name, flag, perm)
	if err == nil && strings.HasPrefix(filepath.Base(name), "spare") {
		return &slowFile{f, s}, nil
	}
	return f, err
}

func (f *slowFile) WriteAt(b []byte, off int64) (int, error) {
	half := len(b) / 2
	if n, err := f.File.WriteAt(b[:half], off); err != nil {
		return n, err
	}
	f.fs.between(f.Name())
	n, err := f.File.WriteAt(b[half:], off+int64(half))
	return half + n, err
}

// Who opens a spare while it is overwritten, as one can who looked its name up before
// it was displaced, gets to see it when it is whole.
func TestWhoOpensASpareWaits(t *testing.T) {
	slow := &slowFS{FS: fsys.OS, between: func(string) {}}
	s, file := spareTest(t, Options{hooks: hooks.Hooks{FS: slow}})
	seen := make(chan string, 1)
	slow.between = func(name string) {
		go func() {
			text, err := os.ReadFile(name)
			if err != nil {
				text = []byte(err.Error())
			}
			seen <- string(text)
		}()
		time.Sleep(20 * time.Millisecond) // long enough to read, for one that does not wait
	}
	do(t, s, setting(file, "/n", strings.Repeat("new", 1000)), file)
	slow.between = func(string) {}
	require.Equal(t, content(t, file), <-seen)
}

// coarseFS has a clock that stands.
type coarseFS struct{ fsys.FS }

type coarseFile struct{ fsys.File }

type coarseInfo struct{ fs.FileInfo }

func (i coarseInfo) Sys() any {
	st := *i.FileInfo.Sys().(*syscall.Stat_t)
	st.Mtim, st.Ctim = syscall.Timespec{}, syscall.Timespec{}
	return &st
}

func coarse(info fs.FileInfo, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	return coarseInfo{info}, nil
}

func (c coarseFS) Stat(name string) (fs.FileInfo, error)  { return coarse(c.FS.Stat(name)) }
func (c coarseFS) Lstat(name string) (fs.FileInfo, error) { return coarse(c.FS.Lstat(name)) }
func (f coarseFile) Stat() (fs.FileInfo, error)           { return coarse(f.File.Stat()) }

func (c coarseFS) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	f, err := c.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return coarseFile{f}, nil
}

// A mode or an attribute that is set in the same step of the file system's clock as a
// commit is kept.
func TestMetadataIsKeptWithinAStepOfTheClock(t *testing.T) {
	s, file := spareTest(t, Options{hooks: hooks.Hooks{FS: coarseFS{fsys.OS}}})
	require.NoError(t, os.Chmod(file, 0o600))
	do(t, s, setting(file, "/n", 10), file)
	requireMode(t, file, 0o600)
	for i := range 4 {
		do(t, s, setting(file, "/n", i), file)
	}
	require.NotEmpty(t, sparesOf(t, file))
	setAttribute(t, file, "1")
	do(t, s, setting(file, "/n", 10), file)
	require.Equal(t, "1", attribute(t, file))
}
