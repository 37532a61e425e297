package admin_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// A compaction keeps the outcome of a unit of several files as long as the journal of
// another one ends with it, or may do so after a power cut, and no longer.
func TestCompactionKeepsTheFateOfUnits(t *testing.T) {
	for name, c := range map[string]struct {
		later int // commits of the other file behind the unit
		kept  bool
	}{
		"the other file ends with it":       {0, true},
		"the other file is durably past it": {2, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			for i := range 3 { // what is first in a journal is always kept
				set(t, s, "a.json", "/n", i)
				set(t, s, "b.json", "/n", i)
			}
			res, err := s.Do(context.Background(), []string{"a.json", "b.json"}, func(tx *txn.Tx) error {
				return errors.Join(tx.Set("a.json", "/u", 1), tx.Set("b.json", "/u", 1))
			})
			require.NoError(t, err)
			for i := range c.later {
				set(t, s, "b.json", "/v", i)
			}
			set(t, s, "a.json", "/v", 1)
			set(t, s, "a.json", "/v", 2)
			_, err = admin.Compact(context.Background(), s, []string{"a.json"}, admin.Retention{Revs: 1})
			require.NoError(t, err)
			begin, err := wal.ReadBegin(fsys.OS, filepath.Join(dir, ".jtx/files/a.json"))
			require.NoError(t, err)
			kept := false
			for _, f := range begin.Facts {
				kept = kept || f.Unit == res.ID && f.Outcome == wal.OutcomeCommitted
			}
			require.Equal(t, c.kept, kept)
			verify(t, s)
		})
	}
}
