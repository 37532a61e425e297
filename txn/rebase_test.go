package txn_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

// behind commits a change of a.json, which must be {"n":2,"m":1}, without putting
// it in place: n becomes 3.
func behind(t *testing.T, dir string) {
	t.Helper()
	log, err := wal.Open(filepath.Join(dir, ".jtx/files/a.json"), wal.Options{})
	require.NoError(t, err)
	st, at := log.State(), log.Clock(time.Now().UTC())
	unit := wal.NewIDAt(at)
	require.NoError(t, log.Append(&wal.Record{Kind: wal.KindPatch, Flags: wal.FlagBehind | wal.FlagNoDirSync, Unit: unit, Rev: st.Rev + 1,
		Before: wal.VersionOf([]byte(`{"n":2,"m":1}`)), After: wal.VersionOf([]byte(`{"n":3,"m":1}`)),
		Txns: []wal.Txn{{ID: unit, Time: at, Message: "behind", Patch: []byte(`[{"op":"replace","path":"/n","value":3}]`)}}}))
	require.NoError(t, log.Sync())
	require.NoError(t, log.MarkPending()) // before it is acknowledged
	require.NoError(t, log.Close())
}

// laggingStore has a.json at revision 2, and revision 3 is behind.
func laggingStore(t *testing.T) (*txn.Store, string) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1,"m":1}`)
	set(t, s, "a.json", "/n", 2)
	require.NoError(t, s.Close())
	behind(t, dir)
	s, err := txn.Open(dir, txn.Options{Actor: "tester"})
	require.NoError(t, err)
	return s, dir
}

func TestEditWhileBehindIsRebased(t *testing.T) {
	s, dir := laggingStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":2,"m":"secret"}`)

	st, err := admin.Status(context.Background(), s, nil)
	require.NoError(t, err)
	require.Equal(t, "edited", st.Files[0].Condition)
	res := verify(t, s)[0]
	require.True(t, res.Foreign)
	require.True(t, res.Unfinished)
	report, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, "edited-while-behind", report.Files[0].Done[0].Case)
	set(t, s, "a.json", "/n", 4, txn.DryRun(), s.IfRevision("a.json", 5))
	require.Equal(t, `{"n":2,"m":"secret"}`, read(t, a))

	done := set(t, s, "a.json", "/n", 4)
	require.Equal(t, uint64(6), done.Files[0].Rev, "the edit, what was committed onto it, and the change")
	require.Equal(t, "edited-while-behind", done.Recovered[0].Case)
	require.Equal(t, recovery.Rebase, done.Recovered[0].Action)
	require.Empty(t, done.Recovered[0].Clash)
	require.Equal(t, `{"n":4,"m":"secret"}`, read(t, a))
	verify(t, s)
	b, err := history.Blame(context.Background(), s, "a.json", "/m")
	require.NoError(t, err)
	require.Equal(t, uint64(4), b.Rev)
	require.True(t, b.Foreign)
	_, err = admin.Redact(context.Background(), s, "a.json", "/m")
	require.NoError(t, err)
	verify(t, s)
}

// TestReadingWhileBehind: a reader sees what was acknowledged, and what was edited,
// and puts nothing in place.
func TestReadingWhileBehind(t *testing.T) {
	s, dir := laggingStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":2,"m":5}`)
	defer func() { require.Equal(t, `{"n":2,"m":5}`, read(t, filepath.Join(dir, "a.json"))) }()
	require.Equal(t, "3", get(t, s, "a.json", "/n"))
	require.Equal(t, "5", get(t, s, "a.json", "/m"))
}

func TestClashWhileBehindIsReported(t *testing.T) {
	s, dir := laggingStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":9,"m":1}`)
	set(t, s, "a.json", "/m", 7, txn.DryRun(), s.IfRevision("a.json", 5))
	report, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.NoError(t, report.Files[0].Err)
	done := report.Files[0].Done[0]
	require.Contains(t, done.Clash, `"/n"`)
	require.Empty(t, done.Aside)
	require.Equal(t, uint64(4), done.EditRev())
	require.Equal(t, `{"n":9,"m":1}`, versionAt(t, s, "a.json", 4))
	require.Equal(t, `{"n":3,"m":1}`, versionAt(t, s, "a.json", 5))
	require.Equal(t, `{"n":3,"m":1}`, read(t, a))
	require.Equal(t, uint64(6), set(t, s, "a.json", "/m", 7).Files[0].Rev)
	verify(t, s)
}

func versionAt(t *testing.T, s *txn.Store, file string, rev uint64) string {
	t.Helper()
	v, err := history.ReadVersion(context.Background(), s, file, history.AtRev(rev))
	require.NoError(t, err)
	require.Equal(t, rev, v.Rev)
	return string(v.Data)
}
