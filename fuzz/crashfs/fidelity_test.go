package crashfs

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRecorderSeesEverything does random operations, through the recorder and
// past it, and compares the real directory with what the log says is there:
// first as the recorder's live tree, then materialised as the state after kill.
func TestRecorderSeesEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		scratch, err := ScratchDir()
		require.NoError(rt, err)
		defer os.RemoveAll(scratch)
		dir := filepath.Join(scratch, "run")
		require.NoError(rt, os.MkdirAll(filepath.Join(dir, "d", "wal"), 0o755))
		require.NoError(rt, os.WriteFile(filepath.Join(dir, "d", "x"), []byte("xx"), 0o644))
		require.NoError(rt, os.Symlink("x", filepath.Join(dir, "d", "link")))
		r, err := NewRecorder(fsys.OS, dir)
		require.NoError(rt, err)
		for range rapid.IntRange(1, 30).Draw(rt, "operations") {
			var through fsys.FS = r
			if rapid.Bool().Draw(rt, "foreign") {
				through = fsys.OS
			}
			randomOperation(rt, through, dir)
		}
		log := r.Log()
		h := newHistory(log)
		for range log.Events {
			h.advance()
		}
		sp := newSpace(h, Kill)
		s := sp.build(make([]int, len(sp.radix)), rand.New(rand.NewPCG(1, 1)), false)
		copied := filepath.Join(scratch, "copy")
		_, err = s.materialize(copied, dir)
		require.NoError(rt, err)
		require.Equal(rt, listing(rt, dir), listing(rt, copied))
	})
}

// randomOperation may fail: what matters is that the log agrees with the disk.
func randomOperation(rt *rapid.T, fsy fsys.FS, dir string) {
	path := func() string {
		return filepath.Join(dir, rapid.SampledFrom([]string{"a", "b", "d/x", "d/y", "d/link", "d/wal/1", "d/wal/2", "d/wal", "e", "e/z"}).Draw(rt, "path"))
	}
	switch rapid.IntRange(0, 9).Draw(rt, "operation") {
	case 0, 1, 2, 3:
		randomWrite(rt, fsy, path())
	case 4:
		_ = fsy.Rename(path(), path())
	case 5:
		_ = fsy.Exchange(path(), path())
	case 6:
		_ = fsy.RenameNoReplace(path(), path())
	case 7:
		_ = fsy.Remove(path())
	case 8:
		_ = fsy.Mkdir(path(), 0o750)
	case 9:
		_ = fsy.Link(path(), path())
	}
}

func randomWrite(rt *rapid.T, fsy fsys.FS, path string) {
	flags := os.O_RDWR | rapid.SampledFrom([]int{0, os.O_CREATE, os.O_CREATE | os.O_TRUNC, os.O_CREATE | os.O_APPEND, os.O_CREATE | os.O_EXCL}).Draw(rt, "flags")
	f, err := fsy.OpenFile(path, flags, 0o640)
	if err != nil {
		return
	}
	defer f.Close()
	data := []byte(strings.Repeat(rapid.StringMatching(`[a-c]`).Draw(rt, "data"), rapid.IntRange(0, 5).Draw(rt, "length")))
	for range rapid.IntRange(0, 3).Draw(rt, "writes") {
		switch rapid.IntRange(0, 4).Draw(rt, "write") {
		case 0, 1:
			_, _ = f.Write(data)
		case 2:
			_, _ = f.WriteAt(data, int64(rapid.IntRange(0, 4).Draw(rt, "offset")))
		case 3:
			_ = f.Truncate(int64(rapid.IntRange(0, 8).Draw(rt, "size")))
		case 4:
			_ = f.Chmod(0o600)
		}
	}
}

// listing is every path with mode and content.
func listing(rt require.TestingT, dir string) []string {
	var list []string
	err := filepath.WalkDir(dir, func(path string, de fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := de.Info()
		if err != nil {
			return err
		}
		var data []byte
		if st.Mode().IsRegular() {
			if data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		list = append(list, fmt.Sprintf("%s %v %q", strings.TrimPrefix(path, dir), st.Mode(), data))
		return nil
	})
	require.NoError(rt, err)
	return list
}
