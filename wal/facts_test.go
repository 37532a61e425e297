package wal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

// ofTwo makes a record one of a unit of two files.
func ofTwo(r *Record) *Record {
	r.Participants = []Participant{{Workspace: ID{1}, Path: "a", LSN: 1, Count: 1}, {Workspace: ID{1}, Path: "b", LSN: 1, Count: 1}}
	return r
}

func abortOf(r *Record) *Record {
	return &Record{Kind: KindAbort, Unit: r.Unit, Rev: r.Rev - 1, Before: r.After, After: r.Before}
}

// TestFactsOfWhatIsDropped: a journal that drops records goes on answering for those that
// the journals of other files may ask about, through every further compaction.
func TestFactsOfWhatIsDropped(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	told, quiet, taken := ofTwo(patch(3)), ofTwo(patch(4)), ofTwo(patch(5))
	commit(t, l, image(1, `{"a":1}`), patch(2), told, quiet, taken, abortOf(taken), ofTwo(patch(7)), image(8, `{"a":8}`), image(9, `{"a":9}`))
	asks := func(r *Record) bool { return r.Unit != quiet.Unit }
	require.NoError(t, l.DropBefore(8, nil, asks))

	// The first two may have the place of a unit that was cut off before there was anything.
	want := []Fact{{testID(1), 1, OutcomeCommitted}, {testID(2), 2, OutcomeCommitted}, {told.Unit, 3, OutcomeCommitted}, {taken.Unit, 5, OutcomeDiscarded}, {testID(7), 7, OutcomeCommitted}}
	begin, err := ReadBegin(fsys.OS, dir)
	require.NoError(t, err)
	require.Equal(t, want, begin.Facts)
	require.Zero(t, begin.UnknownBelow)

	require.NoError(t, l.DropBefore(9, nil, asks))
	begin, err = ReadBegin(fsys.OS, dir)
	require.NoError(t, err)
	require.Equal(t, want, begin.Facts, "they are carried along")

	for _, want := range want {
		fact, known, err := l.Fate(want.Unit, want.LSN)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, want, fact)
	}
	fact, known, err := l.Fate(testID(99), 3)
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, told.Unit, fact.Unit, "another one had that place")
	_, known, err = l.Fate(quiet.Unit, 4)
	require.NoError(t, err)
	require.False(t, known)
}

// TestFactsOfWhatCameBehindACutOffCommit: what took the place of a unit that was cut off
// contradicts it, whoever asks.
func TestFactsOfWhatCameBehindACutOffCommit(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	commit(t, l, image(1, `{"a":1}`), patch(2), patch(3))
	require.NoError(t, l.MarkPending()) // the other file of the unit has its record, this one not
	require.NoError(t, l.Close())
	l = open(t, dir, testOptions())
	require.True(t, l.State().Pending)
	commit(t, l, patch(4), patch(5), patch(6), image(7, `{"a":7}`))
	require.NoError(t, l.DropBefore(7, nil, func(*Record) bool { return false }))
	begin, err := ReadBegin(fsys.OS, dir)
	require.NoError(t, err)
	var at []LSN
	for _, f := range begin.Facts {
		at = append(at, f.LSN)
	}
	require.Equal(t, []LSN{1, 2, 4, 5}, at, "where a journal begins, as well")
}
