package txn_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// grown is a store with one document that has so many commits behind it.
type grown struct {
	store   *txn.Store
	dir     string
	commits int
}

func newGrown(b *testing.B, commits int) *grown {
	g := &grown{dir: b.TempDir()}
	var err error
	g.store, err = txn.Open(g.dir, txn.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, g.store.Close()) })
	require.NoError(b, os.WriteFile(filepath.Join(g.dir, "a.json"), measure.Document(measure.Small, 0), 0o600))
	g.grow(b, commits)
	require.NoError(b, g.commit(txn.Full))
	return g
}

func (g *grown) commit(d txn.Durability) error {
	g.commits++
	_, err := g.store.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", g.commits) },
		txn.WithDurability(d))
	return err
}

func (g *grown) grow(b *testing.B, commits int) {
	for g.commits < commits {
		require.NoError(b, g.commit(txn.None))
	}
}

// journal is the size of the history on disk, in bytes.
func (g *grown) journal(b *testing.B) (size int64) {
	err := filepath.WalkDir(filepath.Join(g.dir, ".jtx", "files", "a.json"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	require.NoError(b, err)
	return size
}

// open is what a process does before its first answer.
func (g *grown) open() error {
	s, err := txn.Open(g.dir, txn.Options{})
	if err != nil {
		return err
	}
	defer s.Close() // has nothing to do behind a View
	return s.View(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
		_, err := tx.Get("a.json", "/n")
		return err
	})
}

// BenchmarkGrowth is what a long history costs. It reports
//
//   - xdrift: the median time of a commit, as a ratio to that behind a hundred
//     commits, which are done in turn;
//   - open-µs: the median time from opening a store to its first answer;
//   - bytes/commit of the history, its images included.
func BenchmarkGrowth(b *testing.B) {
	sizes := []int{100, 1_000, 10_000, 100_000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	long := newGrown(b, 0)
	for _, n := range sizes {
		long.grow(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bytes := float64(long.journal(b)) / float64(long.commits)
			var opened measure.Times
			for range 101 {
				start := time.Now()
				require.NoError(b, long.open())
				opened = append(opened, time.Since(start))
			}
			drift(b, long)
			b.ReportMetric(float64(opened.Quantile(0.5).Nanoseconds())/1e3, "open-µs")
			b.ReportMetric(bytes, "bytes/commit")
		})
	}
}

// drift commits to the long history and to a short one in turn.
func drift(b *testing.B, long *grown) {
	const short, limit = 100, 200
	var behind, fresh measure.Times
	var ref *grown
	for i := 0; b.Loop(); i++ {
		if i%limit == 0 {
			ref = newGrown(b, short)
		}
		for g, times := range map[*grown]*measure.Times{long: &behind, ref: &fresh} {
			start := time.Now()
			require.NoError(b, g.commit(txn.Full))
			*times = append(*times, time.Since(start))
		}
	}
	b.ReportMetric(float64(behind.Quantile(0.5))/float64(fresh.Quantile(0.5)), "xdrift")
}
