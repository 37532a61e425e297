package measure

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

func TestRawDisk(t *testing.T) {
	dir := t.TempDir()
	r, err := OpenRawDisk(dir)
	require.NoError(t, err)
	require.Zero(t, r.Rate())
	require.NoError(t, r.Run(0))
	require.NoError(t, r.Run(0))
	require.Positive(t, r.Rate())
	data, err := os.ReadFile(filepath.Join(dir, "raw-disk"))
	require.NoError(t, err)
	require.Len(t, data, 200)
	require.NoError(t, r.Close())
	require.NoFileExists(t, filepath.Join(dir, "raw-disk"))
}

func TestYardstickFails(t *testing.T) {
	bad := errors.New("bad")
	y := Yardstick{Work: func() error { return bad }}
	require.ErrorIs(t, y.Run(time.Hour), bad)
	require.Zero(t, y.Rate())
}

func TestSyncs(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	s := &Syncs{FS: fsys.OS}
	require.NoError(t, fsys.WriteFileAtomic(s, name, []byte("content"), 0o600))
	require.EqualValues(t, 1, s.Count(), "the file")
	require.NoError(t, fsys.SyncDir(s, filepath.Dir(name)))
	require.EqualValues(t, 2, s.Count(), "and its directory")
	f, err := s.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, f.Datasync())
	require.NoError(t, f.Close())
	require.EqualValues(t, 3, s.Count())
	_, err = s.OpenFile(name+"/below", os.O_RDWR, 0)
	require.Error(t, err)
}

func TestQuantile(t *testing.T) {
	require.Zero(t, Times(nil).Quantile(0.5))
	times := Times{4, 2, 3, 1}
	require.EqualValues(t, 1, times.Quantile(0))
	require.EqualValues(t, 3, times.Quantile(0.5))
	require.EqualValues(t, 4, times.Quantile(0.99))
	require.EqualValues(t, 4, times.Quantile(1))
}

func TestUntil(t *testing.T) {
	more := Until(0)
	require.True(t, more(), "once in any case")
	require.False(t, more())
}

func TestWork(t *testing.T) {
	for _, workers := range []int{1, 8} {
		left, done := 100, atomic.Int64{}
		times, err := Work(workers, func() bool { left--; return left >= 0 }, func(worker int) error {
			if worker >= workers {
				return errors.New("one worker too many")
			}
			done.Add(1)
			return nil
		})
		require.NoError(t, err)
		require.Len(t, times, 100)
		require.EqualValues(t, 100, done.Load())
	}
}

func TestWorkEndsWithTheFirstError(t *testing.T) {
	bad := errors.New("bad")
	for _, workers := range []int{1, 8} {
		_, err := Work(workers, func() bool { return true }, func(int) error { return bad })
		require.ErrorIs(t, err, bad)
	}
}

func TestDocument(t *testing.T) {
	for _, size := range []int{Small, Middle, Large} {
		data := Document(size, 7)
		require.InDelta(t, size, len(data), 100)
		var doc struct{ N int }
		require.NoError(t, json.Unmarshal(data, &doc))
		require.Equal(t, 7, doc.N)
	}
	require.Equal(t, "100KB", SizeName(Middle))
	require.Equal(t, "5MB", SizeName(Large))
}
