package wal

import (
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

func TestSeekFindsTheSegment(t *testing.T) {
	dir := fileDir(t)
	at, err := Seek(fsys.OS, dir, func(*Record) bool { return true })
	require.NoError(t, err)
	require.Equal(t, LSN(1), at)

	const records = 200
	build(t, dir, records)
	journal, gen, err := JournalDir(fsys.OS, dir)
	require.NoError(t, err)
	list, err := listJournal(fsys.OS, journal, gen)
	require.NoError(t, err)
	require.Greater(t, len(list.segments), 10)
	for lsn := LSN(1); lsn <= records; lsn++ {
		asked := 0
		at, err := Seek(fsys.OS, dir, func(r *Record) bool { asked++; return r.LSN <= lsn })
		require.NoError(t, err)
		require.Equal(t, list.segments[list.holding(lsn)].first, at)
		require.LessOrEqual(t, asked, 8)
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, testOptions())
	at := patch(1).Txns[0].Time
	require.Equal(t, at, l.Clock(at))
	commit(t, l, patch(1))
	require.Equal(t, at.Add(1), l.Clock(at.Add(-1000)))
	require.Equal(t, at.Add(2), l.Clock(at.Add(2)))
	require.NoError(t, l.Close())
	l = open(t, dir, Options{Boot: [16]byte{9}, SegmentSize: 2000})
	require.Equal(t, at.Add(1), l.Clock(at), "after a reboot")
	require.Equal(t, at.UnixMilli(), NewIDAt(at).Time().UnixMilli())
}
