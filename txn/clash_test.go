package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

const (
	clashEdit      = "{\"n\":9, \"m\":1} // by hand\n"
	clashCommitted = `{"n":3,"m":1}`
)

// clashed has a.json at revision 5: 3 was committed, 4 is an edit that clashed with it,
// 5 is 3 again; 4 and 5 are one record.
func clashed(t *testing.T) (*txn.Store, string) {
	s, dir := laggingStore(t)
	write(t, filepath.Join(dir, "a.json"), clashEdit)
	report, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, report.Files[0].Done[0].Clash)
	verify(t, s)
	return s, dir
}

// TestHistoryOfAClash: both revisions of a clash are revisions as any other.
func TestHistoryOfAClash(t *testing.T) {
	s, dir := clashed(t)
	ctx := context.Background()
	require.Equal(t, clashEdit, versionAt(t, s, "a.json", 4))
	require.Equal(t, clashCommitted, versionAt(t, s, "a.json", 5))

	var entries []history.Entry
	for e, err := range history.Log(ctx, s, []string{"a.json"}, history.LogOptions{Patches: true}) {
		require.NoError(t, err)
		entries = append(entries, e)
	}
	require.Len(t, entries, 5)
	again, edit := entries[0], entries[1]
	require.Equal(t, []uint64{5, 4}, []uint64{again.Files[0].Rev, edit.Files[0].Rev})
	require.True(t, edit.Foreign)
	require.False(t, again.Foreign)
	require.Equal(t, `[{"op":"replace","path":"/n","value":9}]`, string(edit.Files[0].Patch.Encode()))
	require.Equal(t, `[{"op":"replace","path":"/n","value":3}]`, string(again.Files[0].Patch.Encode()))
	require.True(t, edit.Time.Before(again.Time))

	for _, e := range []history.Entry{again, edit} {
		shown, err := history.Show(ctx, s, e.ID)
		require.NoError(t, err)
		require.Equal(t, e.Files, shown.Files)
		v, err := history.ReadVersion(ctx, s, "a.json", history.AtTx(e.ID))
		require.NoError(t, err)
		require.Equal(t, e.Files[0].Rev, v.Rev)
	}
	b, err := history.Blame(ctx, s, "a.json", "/n")
	require.NoError(t, err)
	require.Equal(t, uint64(5), b.Rev)
	for b, err := range history.BlameAll(ctx, s, "a.json") {
		require.NoError(t, err)
		require.Contains(t, map[string][]uint64{"/n": {5}, "/m": {1}}[b.Pointer], b.Rev)
	}
	back := filepath.Join(dir, "backup")
	_, err = admin.Backup(ctx, s, back, admin.BackupOptions{At: history.AtTime(edit.Time)})
	require.NoError(t, err)
	require.Equal(t, clashEdit, read(t, filepath.Join(back, "files/a.json")))
}

// TestWatchOfAClash: a program that follows from the first revision on gets the second.
func TestWatchOfAClash(t *testing.T) {
	s, _ := clashed(t)
	for _, from := range []uint64{3, 4} {
		next := from + 1
		for e, err := range history.Watch(context.Background(), s, []string{"a.json"}, history.WatchOptions{After: map[string]uint64{"a.json": from}}) {
			require.NoError(t, err)
			require.Equal(t, next, e.Files[0].Rev)
			if next++; next > 5 {
				break
			}
		}
	}
}

// TestUndoAndRestoreAfterAClash: either revision can be taken back or brought back.
func TestUndoAndRestoreAfterAClash(t *testing.T) {
	ctx := context.Background()
	s, dir := clashed(t)
	_, err := history.Restore(ctx, s, []string{"a.json"}, history.AtRev(4))
	require.NoError(t, err)
	require.Equal(t, clashEdit, read(t, filepath.Join(dir, "a.json")))
	verify(t, s)

	s, dir = clashed(t)
	var ids []history.Entry
	for e, err := range history.Log(ctx, s, []string{"a.json"}, history.LogOptions{}) {
		require.NoError(t, err)
		ids = append(ids, e)
	}
	_, err = history.Undo(ctx, s, ids[1].ID)
	require.ErrorIs(t, err, txn.ErrConflict, "what came after it has taken it back")
	_, err = history.Undo(ctx, s, ids[0].ID)
	require.NoError(t, err)
	require.Equal(t, clashEdit, read(t, filepath.Join(dir, "a.json")), "its comment too")
	verify(t, s)
}

// TestCompactAndRedactAClash: a history may begin with a clash, and neither revision of
// it keeps a value that is taken out.
func TestCompactAndRedactAClash(t *testing.T) {
	ctx := context.Background()
	for _, revs := range []uint64{1, 2, 3} {
		s, _ := clashed(t)
		_, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: revs})
		require.NoError(t, err)
		require.Equal(t, clashCommitted, versionAt(t, s, "a.json", 5))
		require.Equal(t, clashEdit, versionAt(t, s, "a.json", 4), "a record is kept whole")
		verify(t, s)
		set(t, s, "a.json", "/n", 4)
		verify(t, s)
	}
	s, dir := laggingStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":"a secret text","m":1}`)
	_, err := admin.Recover(ctx, s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	_, err = admin.Redact(ctx, s, "a.json", "/n")
	require.NoError(t, err)
	verify(t, s)
	require.NotContains(t, versionAt(t, s, "a.json", 4), "secret")
	require.Equal(t, clashCommitted, versionAt(t, s, "a.json", 5))
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, ".jtx"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			require.NotContains(t, read(t, path), "secret text", path)
		}
		return err
	}))
}

// TestTimesWithinAClash: a time between the two revisions finds the first.
func TestTimesWithinAClash(t *testing.T) {
	s, _ := clashed(t)
	v, err := history.ReadVersion(context.Background(), s, "a.json", history.AtRev(4))
	require.NoError(t, err)
	for ago, want := range map[time.Duration]uint64{0: 4, 1: 5, -1: 3} {
		at, err := history.ReadVersion(context.Background(), s, "a.json", history.AtTime(v.Time.Add(ago)))
		require.NoError(t, err)
		require.Equal(t, want, at.Rev)
	}
}
