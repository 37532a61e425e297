package wal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// boot is the boot that tests run in, unless they say otherwise.
var boot = [16]byte{1}

func testOptions() Options { return Options{Boot: boot, SegmentSize: 2000} }

func fileDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.Mkdir(dir, 0o700))
	return dir
}

// memoryDir is a fileDir where syncing costs nothing, if there is such a place. The
// tests with thousands of syncs use it.
func memoryDir(t testing.TB) string {
	t.Helper()
	root, err := os.MkdirTemp("/dev/shm", "jtx-wal-")
	if err != nil {
		return fileDir(t)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	dir := filepath.Join(root, "x")
	require.NoError(t, os.Mkdir(dir, 0o700))
	return dir
}

// patch is a record whose number can be told from its bytes.
func patch(n int) *Record {
	body := []byte(fmt.Sprintf(`{"a":%d}`, n))
	return &Record{
		Kind: KindPatch, Rev: uint64(n), Unit: testID(n),
		Before: VersionOf([]byte("{}")), After: VersionOf(body),
		Txns: []Txn{{
			ID: testID(n), Time: time.Unix(1_700_000_000, int64(n)).UTC(), Actor: "ann@box",
			Patch: []byte(fmt.Sprintf(`[{"op":"replace","path":"/a","value":%d}]`, n)),
		}},
	}
}

func image(n int, body string) *Record {
	r := patch(n)
	r.Kind, r.Image, r.After = KindImage, []byte(body), VersionOf([]byte(body))
	return r
}

func testID(n int) ID { return ID{0: 1, 14: byte(n >> 8), 15: byte(n)} }

func open(t testing.TB, dir string, opt Options) *Log {
	t.Helper()
	l, err := Open(dir, opt)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// commit is a whole commit of one record each.
func commit(t testing.TB, l *Log, recs ...*Record) {
	t.Helper()
	require.NoError(t, tryCommit(l, recs...))
}

func tryCommit(l *Log, recs ...*Record) error {
	for _, r := range recs {
		if err := l.MarkPending(); err != nil {
			return err
		}
		if err := l.Append(r); err != nil {
			return err
		}
		if err := l.Sync(); err != nil {
			return err
		}
		if err := l.Settle(r.LSN, FileID{Ino: 7, Size: r.After.Size}, r.After, false); err != nil {
			return err
		}
	}
	return nil
}

// build makes a journal of n settled commits.
func build(t testing.TB, dir string, n int) {
	t.Helper()
	l := open(t, dir, testOptions())
	for i := range n {
		commit(t, l, patch(i+1))
	}
	require.NoError(t, l.CutRoom())
	require.NoError(t, l.Close())
}

// scanAll collects what Scan yields.
func scanAll(dir string) (recs []*Record, err error) {
	for r, err := range Scan(fsys.OS, dir, 1) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, r)
	}
	return recs, nil
}

// requireWhole checks that dir holds exactly patch(1) to patch(n).
func requireWhole(t testing.TB, dir string, n int) {
	t.Helper()
	recs, err := scanAll(dir)
	require.NoError(t, err)
	require.Len(t, recs, n)
	for i, r := range recs {
		requirePatch(t, r, i+1)
	}
}

func requirePatch(t testing.TB, r *Record, n int) {
	t.Helper()
	want := patch(n)
	want.LSN, want.Durable, want.Prev, want.CRC = LSN(n), r.Durable, r.Prev, r.CRC
	require.Equal(t, want, r)
}

// segments are the paths of dir's segments, oldest first.
func segments(t testing.TB, dir string) (paths []string) {
	t.Helper()
	journal, gen, err := JournalDir(fsys.OS, dir)
	require.NoError(t, err)
	list, err := listJournal(fsys.OS, journal, gen)
	require.NoError(t, err)
	for _, s := range list.segments {
		paths = append(paths, s.path)
	}
	return paths
}

func tailSegment(t testing.TB, dir string) string {
	t.Helper()
	all := segments(t, dir)
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

// mutate changes a file's bytes.
func mutate(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(bytes.Clone(b)), 0o600))
}

// copyTree copies a file directory, to damage the copy.
func copyTree(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	return to
}

// forget makes dir's state that of another boot that knew only of durable.
func forget(t testing.TB, dir string, durable LSN) {
	t.Helper()
	s := State{Boot: [16]byte{9}, Durable: durable}
	b := s.encode()
	require.NoError(t, os.WriteFile(filepath.Join(dir, stateName), b[:], 0o600))
}

func traceHas(trace []string, prefix string) bool {
	for _, line := range trace {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
