package recovery

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal"
)

// TestUnitTableOfWhatWasDropped: the other participant's journal has dropped the place
// where the unit's record would be. Only what it says of it counts.
func TestUnitTableOfWhatWasDropped(t *testing.T) {
	unit := func() *wal.Record {
		rec := newest(Pending, 0)
		rec.Participants = []wal.Participant{{Workspace: wal.ID{1}, Path: "a", LSN: 2, Count: 1}, {Workspace: wal.ID{1}, Path: "b", LSN: 4, Count: 1}}
		return rec
	}
	old := wal.VersionOf([]byte(textOld))
	filler := func(n byte) *wal.Record {
		return &wal.Record{Kind: wal.KindImage, Unit: wal.ID{9, n}, Rev: uint64(n), Before: old, After: old, Image: []byte(textOld)}
	}
	abort := &wal.Record{Kind: wal.KindAbort, Unit: testUnit, Rev: 3, Before: unit().After, After: old}
	for name, c := range map[string]struct {
		fourth []*wal.Record // from its place on
		asked  bool          // whether the journal was told that it may be asked
		want   string
	}{
		"it had it":                   {[]*wal.Record{unit()}, true, "unit-complete"},
		"it had it, and took it back": {[]*wal.Record{unit(), abort}, true, "unit-aborted"},
		"it had another one":          {[]*wal.Record{{Kind: wal.KindPatch, Unit: otherUnit, Participants: unit().Participants, Rev: 4, Before: old, After: old}}, true, "unit-superseded"},
		"it doesn't say":              {[]*wal.Record{filler(4)}, false, "unit-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newPlace(t, "a"), newPlace(t, "b")
			a.build(Pending, textOld, unit())
			b.build(Pending, textOld)
			log, err := wal.Open(b.journal(), wal.Options{Boot: bootNow})
			require.NoError(t, err)
			commit(t, log, append(append([]*wal.Record{filler(2), filler(3)}, c.fourth...), filler(8), filler(9))...)
			from := log.State().Last
			require.NoError(t, log.DropBefore(from, nil, func(*wal.Record) bool { return c.asked }))
			require.NoError(t, log.Close())
			plan := a.plan(nil, b)
			require.Equal(t, c.want, plan.Units[0].Case.Name)
			outcome := map[string]Outcome{"unit-complete": Committed, "unit-unknown": InDoubt}
			want, ok := outcome[c.want]
			if !ok {
				want = Discarded
			}
			require.Equal(t, want, plan.Units[0].Case.Outcome)
		})
	}
}

// commit is a whole commit of each record, of a file whose bytes stay.
func commit(t *testing.T, log *wal.Log, recs ...*wal.Record) {
	t.Helper()
	for _, rec := range recs {
		require.NoError(t, log.MarkPending())
		require.NoError(t, log.Append(rec))
		require.NoError(t, log.Sync())
		require.NoError(t, log.Settle(rec.LSN, log.State().File, rec.After, false))
	}
}
