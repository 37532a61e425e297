package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// So many revisions are kept as were asked for, wherever images stand, one more where
// the file was not there at the oldest; and what is kept says what it said before.
func TestCompactKeepsWhatWasAskedFor(t *testing.T) {
	ctx := context.Background()
	const last = 9
	gone := map[uint64]bool{4: true, 7: true}
	for keep := uint64(1); keep <= last; keep++ {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			s, _ := openStore(t)
			before := map[uint64][]byte{}
			for rev := uint64(1); rev <= last; rev++ {
				if gone[rev] {
					_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
					require.NoError(t, err)
					continue
				}
				set(t, s, "a.json", "/n", int(rev))
				v, err := history.ReadVersion(ctx, s, "a.json", history.AtRev(rev))
				require.NoError(t, err)
				before[rev] = bytes.Clone(v.Data)
			}
			done, err := admin.Compact(ctx, s, []string{"a.json"}, admin.Retention{Revs: keep})
			require.NoError(t, err)
			oldest := last - keep + 1
			if gone[oldest] {
				oldest--
			}
			require.Equal(t, oldest, done[0].Oldest)
			require.Equal(t, oldest-1, done[0].Dropped)
			require.Equal(t, last-oldest+1, done[0].Kept)
			for rev := uint64(1); rev <= last; rev++ {
				v, err := history.ReadVersion(ctx, s, "a.json", history.AtRev(rev))
				if rev < oldest {
					require.ErrorIs(t, err, txn.ErrNotFound)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, string(before[rev]), string(v.Data))
			}
			set(t, s, "a.json", "/n", "more")
			verify(t, s)
		})
	}
}
