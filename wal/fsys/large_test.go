package fsys

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// sized is n bytes that don't repeat.
func sized(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(data) // never fails
	return data
}

func TestWriteOut(t *testing.T) {
	for _, n := range []int{0, 1, writeOutStep, writeOutStep + 1, 3*writeOutStep + 5} {
		want := sized(n)
		f, err := OS.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(t, err)
		for _, off := range []int64{0, 3, writeOutStep} {
			require.NoError(t, WriteOut(f, want, off))
			require.NoError(t, f.Sync())
			got, err := ReadAll(f)
			require.NoError(t, err)
			require.True(t, n == 0 || bytes.Equal(want, got[off:off+int64(n)]), "%d bytes at %d", n, off)
		}
		require.NoError(t, f.Close())
	}
}

// full is a file on a disk that has room for so many writes.
type full struct {
	File
	room int
}

var errFull = errors.New("full")

func (f *full) WriteAt(b []byte, off int64) (int, error) {
	if f.room--; f.room < 0 {
		return 0, errFull
	}
	return f.File.WriteAt(b, off)
}

func TestWriteOutOnAFullDisk(t *testing.T) {
	f, err := OS.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer f.Close()
	require.ErrorIs(t, WriteOut(&full{f, 2}, sized(3*writeOutStep), 0), errFull)
}

// elsewhere is a file whose descriptor is another's.
type elsewhere struct {
	File
	fd File
}

func (f *elsewhere) Fd() uintptr { return f.fd.Fd() }

// What can't be written out early is no failure of the write: here the descriptor is a
// pipe's.
func TestWriteOutToWhatHasNoPlaces(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	f, err := OS.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer f.Close()
	want := sized(2*writeOutStep + 1)
	require.NoError(t, WriteOut(&elsewhere{f, Wrap(w)}, want, 0))
	got, err := ReadAll(f)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}

func TestReadIntoHugePages(t *testing.T) {
	UseHugePages()
	defer func() { hugePages = false }()
	name := filepath.Join(t.TempDir(), "f")
	for _, n := range []int{0, minHuge - 2, minHuge, 3*minHuge + 17} {
		want := sized(n)
		require.NoError(t, os.WriteFile(name, want, 0o600))
		var kept [][]byte // so that each has its own place in the heap
		for range 3 {
			got, err := ReadFile(OS, name)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got), "%d bytes", n)
			kept = append(kept, got)
		}
		for _, got := range kept {
			require.True(t, bytes.Equal(want, got), "%d bytes, later", n)
		}
	}
}
