package admin_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

func usage(t testing.TB, dir, name string) int64 {
	t.Helper()
	size, _, err := wal.Usage(fsys.OS, filepath.Join(dir, ".jtx", "files", name))
	require.NoError(t, err)
	return size
}

// rewritten is how many generations a journal has had besides its first.
func rewritten(t testing.TB, dir, name string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".jtx", "files", name, "wal.*"))
	require.NoError(t, err)
	return len(found)
}

// Commits of one field grow the history by the patch, not by the file.
func TestHistoryGrowsByThePatch(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 commits")
	}
	dir := t.TempDir()
	s, err := txn.Open(dir, txn.Options{Durability: txn.None})
	require.NoError(t, err)
	var doc strings.Builder
	doc.WriteString("{\n  \"n\": 0")
	for i := 0; doc.Len() < 100<<10; i++ {
		fmt.Fprintf(&doc, ",\n  \"key%d\": \"value %d\"", i, i*7919)
	}
	write(t, filepath.Join(dir, "a.json"), doc.String()+"\n}\n")
	for i := range 10_000 {
		set(t, s, "a.json", "/n", i+1)
	}
	size := usage(t, dir, "a.json")
	t.Logf("%d bytes", size)
	require.Less(t, size, int64(5<<20)/2, "old segments are compressed")
	done, err := admin.Compact(context.Background(), s, nil, admin.Retention{})
	require.NoError(t, err)
	require.Zero(t, done[0].Dropped)
	require.Equal(t, done[0].Before, done[0].After, "what drops nothing rewrites nothing")
	require.Zero(t, rewritten(t, dir, "a.json"))
}

// What was written a while ago is compressed, also where only other programs write.
func TestOldSegmentsAreCompressed(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *txn.Store, string, int){
		"commits": func(t *testing.T, s *txn.Store, _ string, n int) {
			set(t, s, "a.json", "/n", strings.Repeat(fmt.Sprint(n), 8000))
		},
		"edits outside": func(t *testing.T, s *txn.Store, dir string, n int) {
			write(t, filepath.Join(dir, "a.json"), fmt.Sprintf(`{"n": %q}`, strings.Repeat(fmt.Sprint(n), 8000)))
			_, err := admin.Backup(context.Background(), s, filepath.Join(t.TempDir(), "b"), admin.BackupOptions{}) // records the edit
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := txn.Open(dir, txn.Options{Durability: txn.None})
			require.NoError(t, err)
			set(t, s, "a.json", "/n", 0)
			for n := 1000; n < 1060; n++ {
				change(t, s, dir, n)
			}
			packed, err := filepath.Glob(filepath.Join(dir, ".jtx", "files", "a.json", "*.zst"))
			require.NoError(t, err)
			require.Greater(t, len(packed), 1)
			require.Less(t, usage(t, dir, "a.json"), int64(1<<20))
			verify(t, s)
			v, err := history.ReadVersion(context.Background(), s, "a.json", history.AtRev(3))
			require.NoError(t, err)
			require.Contains(t, string(v.Data), "100110011001")
		})
	}
}

func TestRetention(t *testing.T) {
	s, middle := longHistory(t, 2000)
	compact := func(r admin.Retention) admin.Compaction {
		done, err := admin.Compact(context.Background(), s, []string{"a.json"}, r)
		require.NoError(t, err)
		require.Len(t, done, 1)
		verify(t, s)
		return done[0]
	}
	require.Equal(t, uint64(1), compact(admin.Retention{}).Oldest)
	require.Equal(t, uint64(1), compact(admin.Retention{Age: time.Hour, Revs: 10}).Oldest, "younger than an hour")
	c := compact(admin.Retention{Revs: 1500})
	require.LessOrEqual(t, c.Oldest, uint64(501))
	require.Greater(t, c.Oldest, uint64(250), "within an image's distance")
	require.Equal(t, c.Dropped, c.Oldest-1)
	_, err := history.Show(context.Background(), s, middle)
	require.NoError(t, err)
	c = compact(admin.Retention{Revs: 1500, Bytes: 100 << 10})
	require.Greater(t, c.Oldest, uint64(1200))
	_, err = history.Show(context.Background(), s, middle)
	require.ErrorIs(t, err, txn.ErrNotFound)
	b, err := history.Blame(context.Background(), s, "a.json", "/field199")
	require.NoError(t, err)
	require.True(t, b.Before)
	c = compact(admin.Retention{Revs: 1})
	v, err := history.ReadVersion(context.Background(), s, "a.json", history.Point{})
	require.NoError(t, err)
	require.Equal(t, uint64(2000), v.Rev)
}

func TestCommitsCompactWhatHasGrownLarge(t *testing.T) {
	_, _, dir := historySince(t, 1000, time.Now().Add(-100*24*time.Hour))
	small, err := txn.Open(dir, txntest.With(txn.Options{Durability: txn.Journal}, txntest.Hooks{CompactionSize: 100 << 10}))
	require.NoError(t, err)
	before := usage(t, dir, "a.json")
	grown := before
	for i := range 3000 {
		set(t, small, "a.json", "/field1", -i)
		size := usage(t, dir, "a.json")
		if grown = max(grown, size); size < before/2 {
			verify(t, small)
			return
		}
	}
	t.Fatalf("it has grown to %d bytes", grown)
}

// A first change that failed may leave a journal without a version, which is no
// obstacle to the compaction of the others.
func TestCompactionPassesOverAnEmptyHistory(t *testing.T) {
	for call := 0; ; call++ {
		dir := t.TempDir()
		fault := fsys.NewFailing(fsys.OS, fsys.Fault{Call: call})
		bad, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{FS: fault}))
		require.NoError(t, err)
		_, _ = bad.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 1) })
		s, err := txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		set(t, s, "b.json", "/n", 1)
		_, err = admin.Compact(context.Background(), s, nil, admin.Retention{})
		require.NoError(t, err, "call %d fails", call)
		if fault.Failed() == 0 {
			return
		}
	}
}

// droppedHistory is a file whose history begins with its second version.
func droppedHistory(t *testing.T) (*txn.Store, txn.Result, string) {
	t.Helper()
	s, dir := openStore(t)
	filler := strings.Repeat("long", 10_000)
	set(t, s, "a.json", "/x", filler)
	res, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
		if err := tx.Patch("a.json", []byte(`[{"op":"copy","from":"/x","path":"/y"},{"op":"add","path":"/z","value":1}]`)); err != nil {
			return err
		}
		return tx.Set("a.json", "/filler", filler+filler) // so that it becomes an image
	})
	require.NoError(t, err)
	for n := range 4 {
		set(t, s, "a.json", "/x", fmt.Sprint(n, filler))
	}
	return s, res, dir
}

// What is not kept any more is not taken for what never was.
func TestUndoAndBlameAtTheEndOfWhatIsKept(t *testing.T) {
	ctx := context.Background()
	s, _, dir := droppedHistory(t)
	done, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: 1})
	require.NoError(t, err)
	require.NotZero(t, done[0].Dropped)
	oldest, err := history.ReadVersion(ctx, s, "a.json", history.AtRev(done[0].Oldest))
	require.NoError(t, err)
	now := read(t, filepath.Join(dir, "a.json"))
	_, err = history.Undo(ctx, s, oldest.Tx)
	require.ErrorIs(t, err, txn.ErrNotFound)
	require.ErrorContains(t, err, "not kept any more")
	require.Equal(t, now, read(t, filepath.Join(dir, "a.json")))
	for e, err := range history.Log(ctx, s, nil, history.LogOptions{Patches: true}) {
		require.NoError(t, err)
		require.GreaterOrEqual(t, e.Files[0].Rev, done[0].Oldest)
	}
	for _, ptr := range []string{"/y", "/z"} {
		b, err := history.Blame(ctx, s, "a.json", ptr)
		require.NoError(t, err)
		require.True(t, b.Before || b.Rev >= done[0].Oldest)
	}
}

func TestRetentionOfMoreThanThereIs(t *testing.T) {
	s, _, _ := droppedHistory(t)
	for _, revs := range []uint64{6, 7, 1 << 63, 1<<64 - 1} {
		done, err := admin.Compact(context.Background(), s, nil, admin.Retention{Revs: revs})
		require.NoError(t, err)
		require.Zero(t, done[0].Dropped, "%d revisions are to be kept", revs)
	}
}

// A backup of a moment that is not kept any more says so.
func TestBackupOfWhatIsNotKept(t *testing.T) {
	ctx := context.Background()
	s, second, _ := droppedHistory(t)
	set(t, s, "young.json", "/n", 1)
	_, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: 1})
	require.NoError(t, err)
	m, err := admin.Backup(ctx, s, filepath.Join(t.TempDir(), "b"), admin.BackupOptions{At: history.AtTime(second.ID.Time().Add(-time.Hour))})
	require.NoError(t, err)
	require.Empty(t, m.Files)
	require.Equal(t, []backup.Path{"a.json"}, m.Unknown, "young.json was not there, of a.json it is not known")
}

// A file that was made again, when what was before is not kept, is left as it is by
// who brings all back: nobody knows whether it was there.
func TestRestoreAllOfAFileThatWasMadeAgain(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	set(t, s, "b.json", "/n", 1)
	before := set(t, s, "b.json", "/n", 2)
	_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 2)
	done, err := admin.Compact(ctx, s, []string{"a.json"}, admin.Retention{Revs: 1})
	require.NoError(t, err)
	require.Equal(t, uint64(3), done[0].Oldest)
	set(t, s, "b.json", "/n", 3)
	res, err := history.RestoreAll(ctx, s, history.AtTx(before.ID))
	require.NoError(t, err)
	require.Len(t, res.Warnings, 1)
	require.Equal(t, "2", get(t, s, "a.json", "/n"))
	require.Equal(t, "2", get(t, s, "b.json", "/n"))
	m, err := admin.Backup(ctx, s, filepath.Join(dir, "backup"), admin.BackupOptions{At: history.AtTx(before.ID)})
	require.NoError(t, err)
	require.Equal(t, []backup.Path{"a.json"}, m.Unknown)
}
