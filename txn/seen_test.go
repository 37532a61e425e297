package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// unread are the notices that Status and Verify tell of a file, the same.
func unread(t *testing.T, s *txn.Store, file string) []recovery.Notice {
	st, err := admin.Status(context.Background(), s, []string{file})
	require.NoError(t, err)
	require.Len(t, st.Files, 1)
	results, _ := admin.Verify(context.Background(), s, []string{file}, admin.VerifyOptions{})
	require.Len(t, results, 1)
	require.Equal(t, st.Files[0].Unread, results[0].Unread)
	return results[0].Unread
}

// isUnread makes sure that one notice is told until somebody has read it.
func isUnread(t *testing.T, s *txn.Store, file string, want recovery.Notice) {
	list := unread(t, s, file)
	require.Len(t, list, 1)
	require.False(t, list[0].Time.IsZero())
	want.Time = list[0].Time
	require.Equal(t, want, list[0])

	seen, err := admin.Seen(context.Background(), s, nil)
	require.NoError(t, err)
	require.Len(t, seen, 1)
	require.Equal(t, list, seen[0].Notices)
	require.Empty(t, unread(t, s, file))
	seen, err = admin.Seen(context.Background(), s, nil)
	require.NoError(t, err)
	require.Empty(t, seen)
}

// TestAClashIsToldUntilItWasRead, and not what was carried over.
func TestAClashIsToldUntilItWasRead(t *testing.T) {
	s, dir := clashed(t)
	isUnread(t, s, "a.json", recovery.Notice{What: recovery.NoticeClash, Rev: 5})
	require.Equal(t, clashEdit, versionAt(t, s, "a.json", 4), "what was read stays")
	write(t, filepath.Join(dir, "a.json"), `{"n":10}`)
	set(t, s, "a.json", "/n", 11)
	require.Empty(t, unread(t, s, "a.json"), "it is told once")

	s, dir = laggingStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":2,"m":1,"more":1}`)
	_, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Empty(t, unread(t, s, "a.json"))
}

// TestAClashIsToldByWhoGoesOn: a recovery that was cut off behind the clash's record has
// told of it by the time that this is carried out.
func TestAClashIsToldByWhoGoesOn(t *testing.T) {
	for at := 0; ; at++ {
		lagging, dir := laggingStore(t)
		require.NoError(t, lagging.Close())
		write(t, filepath.Join(dir, "a.json"), clashEdit)
		fsy := fsys.NewFailing(fsys.OS, fsys.Fault{Call: at, Forever: true})
		s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{FS: fsy}))
		require.NoError(t, err)
		_, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
		require.NoError(t, err, "what fails of a file is in the report")
		_ = s.Close() // on a disk that may have failed

		s, err = txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		set(t, s, "a.json", "/m", 2)
		list := unread(t, s, "a.json")
		require.Len(t, list, 1, "call %d", at)
		require.Equal(t, recovery.NoticeClash, list[0].What)
		if fsy.Failed() == 0 {
			require.Greater(t, at, 10)
			return
		}
	}
}

// TestADecisionIsToldUntilItWasRead, in the files that were there, and in one that
// comes back later.
func TestADecisionIsToldUntilItWasRead(t *testing.T) {
	ctx := context.Background()
	for committed, outcome := range map[bool]string{true: "committed", false: "discarded"} {
		s, dir, unit := halfGone(t)
		write(t, filepath.Join(dir, "p/a.json"), `{"n":9}`)
		_, err := admin.Decide(ctx, s, unit, committed)
		require.NoError(t, err)
		list := unread(t, s, "p/a.json")
		require.NotEmpty(t, list)
		require.Equal(t, recovery.Notice{What: recovery.NoticeDecision, Time: list[0].Time, Unit: unit.String(), Outcome: outcome, Actor: "ann"}, list[0])
	}
}

// TestWhatWasSetAsideIsToldUntilItWasRead, be it a journal.
func TestWhatWasSetAsideIsToldUntilItWasRead(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	write(t, filepath.Join(dir, "a.json"), `{"n":`)
	_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 3) })
	var damaged *recovery.DamagedError
	require.ErrorAs(t, err, &damaged)
	require.FileExists(t, damaged.Aside)
	isUnread(t, s, "a.json", recovery.Notice{What: recovery.NoticeAside, Kept: damaged.Aside})

	write(t, filepath.Join(dir, "a.json"), `{"n":4}`)
	set(t, s, "a.json", "/n", 5)
	rot(t, dir, "a.json")
	kept, err := admin.SetAside(ctx, s, "a.json")
	require.NoError(t, err)
	isUnread(t, s, "a.json", recovery.Notice{What: recovery.NoticeJournal, Kept: kept})
}

// TestNoticesOfAStranger: what may be of anybody leads nowhere, and keeps nobody from
// telling more.
func TestNoticesOfAStranger(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	name := filepath.Join(dir, ".jtx/files/a.json/unread")
	for _, text := range []string{`[{"what":"set-aside","kept":"../../../a.json"}]`, `[`, `{}`} {
		write(t, name, text)
		st, err := admin.Status(context.Background(), s, nil)
		require.NoError(t, err)
		require.ErrorContains(t, st.Files[0].Err, "unread")
	}
	require.NoError(t, recovery.Tell(fsys.OS, filepath.Dir(name), recovery.Notice{What: recovery.NoticeClash, Rev: 3}))
	for i := range uint64(200) {
		require.NoError(t, recovery.Tell(fsys.OS, filepath.Dir(name), recovery.Notice{What: recovery.NoticeClash, Rev: 4 + i}))
	}
	list := unread(t, s, "a.json")
	require.Len(t, list, 100)
	require.Equal(t, uint64(203), list[99].Rev)
	require.NoError(t, os.Remove(name))
}
