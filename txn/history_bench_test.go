package txn_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

// longHistory makes a file with a history of many one-field commits, without a
// sync for each: 200 fields, the n-th commit sets field n%199 (field 199 is set
// once, in the middle). It returns the id of a transaction in the middle.
func longHistory(b testing.TB, commits int) (*txn.Store, wal.ID) {
	s, id, _ := historySince(b, commits, time.Now())
	return s, id
}

// historySince begins the history at a time.
func historySince(b testing.TB, commits int, at time.Time) (*txn.Store, wal.ID, string) {
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

func BenchmarkHistory(b *testing.B) {
	for _, commits := range []int{1_000, 100_000} {
		s, middle := longHistory(b, commits)
		ctx := context.Background()
		run := func(name string, fn func() error) {
			b.Run(fmt.Sprintf("%s/%d", name, commits), func(b *testing.B) {
				for b.Loop() {
					require.NoError(b, fn())
				}
			})
		}
		run("log10", func() error {
			n := 0
			for _, err := range history.Log(ctx, s, []string{"a.json"}, history.LogOptions{Patches: true}) {
				if n++; n == 10 || err != nil {
					return err
				}
			}
			return nil
		})
		run("show", func() error { _, err := history.Show(ctx, s, middle); return err })
		run("get@-1", func() error { _, err := history.ReadVersion(ctx, s, "a.json", history.Back(1)); return err })
		run("get@middle", func() error {
			_, err := history.ReadVersion(ctx, s, "a.json", history.AtRev(uint64(commits/2)))
			return err
		})
		run("blame-recent", func() error { _, err := history.Blame(ctx, s, "a.json", "/field5"); return err })
		run("blame-middle", func() error { _, err := history.Blame(ctx, s, "a.json", "/field199"); return err })
		run("blame-file", func() error {
			for _, err := range history.BlameAll(ctx, s, "a.json") {
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
}
