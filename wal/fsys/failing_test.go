package fsys

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// replace is a small protocol: a synced temporary, renamed, its directory synced.
func replace(fsy FS, name string) error {
	if err := WriteFileAtomic(fsy, name, []byte("new content"), 0o600); err != nil {
		return err
	}
	return SyncDir(fsy, filepath.Dir(name))
}

func TestFailingFailsTheKthCall(t *testing.T) {
	for _, forever := range []bool{false, true} {
		for k := 0; ; k++ {
			name := filepath.Join(t.TempDir(), "f")
			require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
			f := NewFailing(OS, Fault{Call: k, Err: syscall.ENOSPC, Forever: forever, Short: true})
			err := replace(f, name)
			if f.Failed() == 0 {
				require.NoError(t, err)
				require.Equal(t, 6, k, "open, write, chmod, sync, rename, sync of the directory")
				break
			}
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.Contains(t, f.Trace()[k], "no space left")
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Contains(t, []string{"old", "new content"}, string(b))
		}
	}
}

func TestFailingCountsOnlyItsOps(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	f := NewFailing(OS, Fault{Call: 1, Ops: []string{"sync"}})
	err := replace(f, name)
	require.ErrorIs(t, err, syscall.EIO)
	require.Equal(t, 2, f.Calls())
	trace := f.Trace()
	require.Len(t, trace, 6)
	require.True(t, strings.HasPrefix(trace[4], "rename "+name+".tmp "+name), trace[4])
}

func TestFailingShortWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	f := NewFailing(OS, Fault{Call: 0, Ops: []string{"write"}, Short: true})
	file, err := f.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer file.Close()
	n, err := file.Write([]byte("12345678"))
	require.ErrorIs(t, err, syscall.EIO)
	require.Equal(t, 4, n)
	b, err := ReadFile(OS, name)
	require.NoError(t, err)
	require.Equal(t, "1234", string(b))
}

func TestFailingSyncLiesAfterwards(t *testing.T) {
	dir := t.TempDir()
	f := NewFailing(OS, Fault{Call: 0, Ops: []string{"datasync"}, Lie: true})
	file, err := f.OpenFile(filepath.Join(dir, "a"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer file.Close()
	require.ErrorIs(t, file.Datasync(), syscall.EIO)
	require.Empty(t, f.Lied())
	require.NoError(t, file.Sync())
	require.Equal(t, []string{file.Name()}, f.Lied())
	require.NoError(t, SyncDir(f, dir))
	require.Len(t, f.Lied(), 1, "other files are synced truly")
}

func TestFailingServesGoroutines(t *testing.T) {
	dir := t.TempDir()
	f := NewFailing(OS, Fault{Call: -1})
	var group sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		group.Go(func() { _ = replace(f, filepath.Join(dir, name)) })
	}
	group.Wait()
	require.Equal(t, 24, f.Calls())
	require.Zero(t, f.Failed())
}
