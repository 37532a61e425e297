package history_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/history"
)

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
