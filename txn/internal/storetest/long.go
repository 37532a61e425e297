package storetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal"
)

// LongHistory makes a file with a history of many one-field commits, without a
// sync for each: 200 fields, the n-th commit sets field n%199 (field 199 is set
// once, in the middle). It returns the id of a transaction in the middle.
func LongHistory(b testing.TB, commits int) (*txn.Store, wal.ID) {
	s, id, _ := HistorySince(b, commits, time.Now())
	return s, id
}

// HistorySince begins the history at a time.
func HistorySince(b testing.TB, commits int, at time.Time) (*txn.Store, wal.ID, string) {
	dir := b.TempDir()
	s, err := txn.Open(dir, txn.Options{Actor: "tester"})
	require.NoError(b, err)
	fields := make([]int, 200)
	text := func() []byte {
		out := []byte("{\n")
		for i, v := range fields {
			out = fmt.Appendf(out, "  \"field%d\": %d", i, v)
			if i < len(fields)-1 {
				out = append(out, ',')
			}
			out = append(out, '\n')
		}
		return append(out, "}\n"...)
	}
	_, _, err = s.Init(context.Background(), ".")
	require.NoError(b, err)
	files := filepath.Join(dir, ".jtx", "files", "a.json")
	require.NoError(b, os.Mkdir(files, 0o755))
	log, err := wal.Open(files, wal.Options{})
	require.NoError(b, err)
	before := text()
	made := &wal.Record{Kind: wal.KindImage, Unit: wal.NewIDAt(at), Rev: 1, After: wal.VersionOf(before), Image: before}
	made.Txns = []wal.Txn{{ID: made.Unit, Time: at, Actor: "tester"}}
	require.NoError(b, log.Append(made))
	var middle wal.ID
	for n := 1; n < commits; n++ {
		i := n % 199
		if n == commits/2 {
			i = 199
		}
		fields[i] = n
		after := text()
		at = at.Add(time.Millisecond)
		id := wal.NewIDAt(at)
		if n == commits/2 {
			middle = id
		}
		rec := &wal.Record{Kind: wal.KindPatch, Unit: id, Rev: uint64(n + 1), Before: wal.VersionOf(before), After: wal.VersionOf(after),
			Txns: []wal.Txn{{ID: id, Time: at, Actor: "tester", Patch: fmt.Appendf(nil, `[{"op":"replace","path":"/field%d","value":%d}]`, i, n)}}}
		if log.State().SinceImage > 32<<10 {
			rec.Kind, rec.Image = wal.KindImage, after
		}
		tail := log.State().Segment
		require.NoError(b, log.Append(rec))
		if log.State().Segment != tail {
			require.NoError(b, log.Pack()) // as commits do
		}
		before = after
	}
	require.NoError(b, log.Sync())
	path := filepath.Join(dir, "a.json")
	require.NoError(b, os.WriteFile(path, before, 0o644))
	info, err := os.Stat(path)
	require.NoError(b, err)
	require.NoError(b, log.Settle(log.State().Last, wal.FileIDOf(info), wal.VersionOf(before), false))
	require.NoError(b, log.Close())
	return s, middle, dir
}
