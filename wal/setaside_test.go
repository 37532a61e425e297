package wal

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

// rotten is a journal of n records, of which the last but one is of two files, and whose
// third has rotted.
func rotten(t *testing.T, n int) string {
	t.Helper()
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	for i := 1; i < n-1; i++ {
		commit(t, l, patch(i))
	}
	both := patch(n - 1)
	both.Participants = []Participant{{Path: "a", LSN: LSN(n - 1), Count: 1}, {Path: "b", LSN: 7, Count: 1}}
	commit(t, l, both, patch(n))
	require.NoError(t, l.Close())
	recs, err := scanAll(dir)
	require.NoError(t, err)
	frame, err := recs[2].Encode()
	require.NoError(t, err)
	at := 0
	mutate(t, tailSegment(t, dir), func(b []byte) []byte {
		for i := range b {
			if i+len(frame) <= len(b) && string(b[i:i+len(frame)]) == string(frame) {
				at = i
			}
		}
		b[at+50] ^= 1
		return b
	})
	_, err = scanAll(dir)
	require.ErrorIs(t, err, ErrCorrupt)
	return dir
}

// Each call of setting a journal aside fails in turn, and who comes next goes on: the
// journal is the damaged one or its successor, and nothing of the damaged one is lost.
func TestFailEveryCallOfSetAside(t *testing.T) {
	const n = 9
	pristine := rotten(t, n)
	damaged, err := os.ReadFile(filepath.Join(pristine, lsnName(1)))
	require.NoError(t, err)
	for call := 0; ; call++ {
		dir := copyTree(t, pristine)
		opt := bigSegments()
		failing := fsys.NewFailing(fsys.Anonymous(fsys.OS), fsys.Fault{Call: call, Short: true})
		opt.FS = failing
		kept, err := SetAside(dir, opt)
		if failing.Failed() > 0 && err == nil {
			t.Fatalf("call %d failed unseen: %v", call, failing.Trace())
		}
		l, openErr := Open(dir, bigSegments())
		if openErr != nil { // it is still the damaged one
			require.ErrorIs(t, openErr, ErrCorrupt)
			require.Error(t, err)
			kept, err = SetAside(dir, bigSegments())
			require.NoError(t, err)
			l = open(t, dir, bigSegments())
		}
		requireSuccessor(t, dir, l, n)
		if kept == "" { // whoever opened it went on with the moving
			names, err := filepath.Glob(filepath.Join(dir, damagedName, "journal.*"))
			require.NoError(t, err)
			require.NotEmpty(t, names)
			kept = names[0]
		}
		text, readErr := os.ReadFile(filepath.Join(kept, lsnName(1)))
		require.NoError(t, readErr)
		require.Equal(t, damaged, text)
		require.NoFileExists(t, filepath.Join(dir, lsnName(1)))
		if failing.Failed() == 0 {
			return
		}
	}
}

// A damaged journal whose state is lost too is set aside as any other: what is whole in it
// says how far it went. One of a newer version is left to the program that wrote it.
func TestSetAsideWithoutItsState(t *testing.T) {
	const n = 9
	spoiled := func(spoil func(state []byte)) string {
		dir := rotten(t, n)
		mutate(t, filepath.Join(dir, stateName), func(b []byte) []byte {
			for at := stateOffset; at < len(b); at += stateSize {
				spoil(b[at : at+stateSize])
			}
			return b
		})
		return dir
	}
	dir := spoiled(func(state []byte) { clear(state) })
	_, err := SetAside(dir, bigSegments())
	require.NoError(t, err)
	begin, err := ReadBegin(fsys.OS, dir)
	require.NoError(t, err)
	require.Equal(t, LSN(n)+lostGap, begin.LSN)

	dir = spoiled(func(state []byte) {
		binary.LittleEndian.PutUint16(state[4:], stateVersion+1)
		binary.LittleEndian.PutUint32(state[stateCRC:], crc32.Checksum(state[:stateCRC], castagnoli))
	})
	_, err = SetAside(dir, bigSegments())
	require.ErrorIs(t, err, ErrVersion)
	require.FileExists(t, filepath.Join(dir, lsnName(1)))
}

// requireSuccessor checks what the journal behind a damaged one knows and how it goes on.
func requireSuccessor(t *testing.T, dir string, l *Log, n int) {
	t.Helper()
	begin := LSN(n) + lostGap
	require.Equal(t, begin, l.State().Last)
	require.Equal(t, uint64(n), l.State().Rev)
	f, known, err := l.Fate(patch(n-1).Unit, LSN(n-1))
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, OutcomeCommitted, f.Outcome)
	_, known, err = l.Fate(ID{9}, 3)
	require.NoError(t, err)
	require.False(t, known, "what has rotted is unknown")
	next := image(n+1, `{"a":1}`)
	commit(t, l, next)
	require.Equal(t, begin+1, next.LSN)
	require.NoError(t, l.DropBefore(begin+1, nil, nil))
	require.NoError(t, l.Close())
	rec, err := ReadBegin(fsys.OS, dir)
	require.NoError(t, err)
	require.NotZero(t, rec.UnknownBelow)
	require.Less(t, rec.UnknownBelow, rec.LSN, "the generation before was whole")
	report, err := Inspect(fsys.OS, dir)
	require.NoError(t, err)
	require.Empty(t, report.Damage)
}

// A copy of a file directory is not believed within the same boot; another boot asks for
// no identity.
func TestACopiedStateIsNotBelieved(t *testing.T) {
	dir := fileDir(t)
	opt := Options{Boot: boot}
	l := open(t, dir, opt)
	commit(t, l, patch(1))
	require.NoError(t, l.Close())
	require.True(t, open(t, dir, opt).Trusted())
	other := open(t, copyTree(t, dir), opt)
	require.False(t, other.Known())
	require.False(t, other.Trusted())
	require.Equal(t, LSN(1), other.State().Durable, "what was durable still is")
}

// A power cut may take back that `state` was marked pending, and keep the switch, before
// the damaged journal was moved.
func TestTheTailOfAFormerGenerationIsNone(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	commit(t, l, image(1, `{"a":1}`))
	require.NoError(t, l.Settle(1, FileID{}, VersionOf([]byte(`{"a":1}`)), true))
	require.NoError(t, l.Close())
	state, ok, err := ReadState(fsys.OS, dir)
	require.NoError(t, err)
	require.True(t, ok)
	rec, err := Tail(fsys.OS, dir, state)
	require.NoError(t, err)
	require.NotNil(t, rec)
	kept, err := SetAside(dir, bigSegments())
	require.NoError(t, err)
	require.NoError(t, os.Rename(filepath.Join(kept, lsnName(1)), filepath.Join(dir, lsnName(1))))
	rec, err = Tail(fsys.OS, dir, state)
	require.NoError(t, err)
	require.Nil(t, rec)
}
