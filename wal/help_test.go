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

// testOptions are of files that are the same when they were copied: most tests damage a
// copy of what they have built.
func testOptions() Options {
	return Options{FS: fsys.Anonymous(fsys.OS), Boot: boot, SegmentSize: 2000}
}

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
	want.Flags |= r.Flags & FlagResumed // Append's own
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

// mutateState changes the bytes of the state in a lock file.
func mutateState(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	mutate(t, path, func(b []byte) []byte {
		s := change(b[stateOffset : stateOffset+stateSize : stateOffset+stateSize])
		return append(b[:stateOffset], append(s, make([]byte, lockSize-stateOffset-len(s))...)...)
	})
}

// inLock is a lock file that holds these bytes in the place of a state.
func inLock(state []byte) []byte {
	b := make([]byte, lockSize)
	copy(b[stateOffset:], state)
	return b
}

// moveGen makes the segments in dir those of a later generation, as a switch does.
func moveGen(t testing.TB, dir, gen string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	temp := filepath.Join(dir, gen+genTemp)
	require.NoError(t, os.Mkdir(temp, 0o700))
	for _, e := range entries {
		if isSegment(e.Name()) {
			from, to := filepath.Join(dir, e.Name()), filepath.Join(temp, e.Name())
			if e.IsDir() {
				require.NoError(t, os.CopyFS(to, os.DirFS(from)))
				continue
			}
			b, err := os.ReadFile(from)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(to, b, 0o600))
		}
	}
	require.NoError(t, os.Rename(temp, filepath.Join(dir, gen)))
	for _, e := range entries {
		if isSegment(e.Name()) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
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
	require.NoError(t, os.WriteFile(filepath.Join(dir, stateName), inLock(b[:]), 0o600))
}

func traceHas(trace []string, prefix string) bool {
	for _, line := range trace {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
