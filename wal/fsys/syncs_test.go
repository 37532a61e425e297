package fsys

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// openSome opens n new files of a directory.
func openSome(t *testing.T, fsy FS, n int) []File {
	t.Helper()
	dir := t.TempDir()
	files := make([]File, n)
	for i := range files {
		f, err := fsy.OpenFile(filepath.Join(dir, string(rune('a'+i))), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		files[i] = f
	}
	return files
}

func TestSyncsEachGetsItsError(t *testing.T) {
	for n := range 5 {
		for k := range n {
			fsy := NewFailing(OS, Fault{Call: k, Ops: []string{"sync", "datasync"}})
			var syncs Syncs
			failed, order := 0, []int{}
			for i, f := range openSome(t, fsy, n) {
				syncs.Add(f, i%2 == 0, func(err error) error {
					order = append(order, i)
					if err != nil {
						failed++
						require.ErrorIs(t, err, syscall.EIO)
						return errors.Join(err, errOther)
					}
					return nil
				})
			}
			err := syncs.Run()
			require.ErrorIs(t, err, syscall.EIO)
			require.ErrorIs(t, err, errOther, "what followed it said more")
			require.Equal(t, 1, failed)
			require.Len(t, order, n)
			require.IsIncreasing(t, append([]int{-1}, order...))
			require.NoError(t, syncs.Run(), "it is empty now")
		}
	}
}

var errOther = errors.New("not found")

func TestSyncsOfDirectoriesAndCalls(t *testing.T) {
	dir := t.TempDir()
	fsy := NewFailing(OS, Fault{Call: -1})
	var syncs Syncs
	said := 0
	syncs.AddDir(fsy, dir, nil)
	syncs.AddDir(fsy, filepath.Join(dir, "none"), func(err error) error {
		require.ErrorIs(t, err, os.ErrNotExist)
		said++
		return nil
	})
	syncs.Call(func() error { return errOther }, nil)
	require.ErrorIs(t, syncs.Run(), errOther)
	require.Equal(t, 1, said)
	require.Equal(t, []string{"sync " + dir}, fsy.Trace())
}
