package wal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/jtx-project/jtx/wal/fsys"
)

func sampleState() State {
	return State{
		Boot: [16]byte{1, 2, 3}, Pending: true, InPlace: true, Gen: 4, Last: 5, Durable: 6, Applied: 7, Rev: 8,
		Group: 9, Segment: 10, Offset: 11, CRC: 12, Image: 13, SinceImage: 14,
		File:    FileID{Dev: 15, Ino: 16, Size: 17, Mtime: 18, Ctime: 19},
		Content: VersionOf([]byte("{}")), Written: 20, Time: 21, LastSize: 22,
		WrittenIn: [16]byte{4, 5}, Self: Identity{Dev: 23, Ino: 24, Birth: 25}, Named: 26, Resumed: 27,
	}
}

func TestStateRoundTrip(t *testing.T) {
	for _, s := range []State{sampleState(), {}, {Pending: true}, {InPlace: true}, {Content: Version{Exists: true}}, {Strict: true}} {
		b := s.encode()
		got, ok, err := decodeState(b[:])
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, s, got)
	}
}

func TestTornState(t *testing.T) {
	dir := t.TempDir()
	_, ok, err := ReadState(fsys.OS, dir)
	require.NoError(t, err)
	require.False(t, ok)

	s := sampleState()
	whole := s.encode()
	for bit := range 8 * stateSize {
		b := whole
		b[bit/8] ^= 1 << (bit % 8)
		got, ok, err := decodeState(b[:])
		require.NoError(t, err)
		require.False(t, ok, "bit %d", bit)
		require.Zero(t, got)
	}
	for _, n := range []int{0, 1, 100, stateSize - 1} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, stateName), append(make([]byte, stateOffset), whole[:n]...), 0o600))
		_, ok, err := ReadState(fsys.OS, dir)
		require.NoError(t, err)
		require.False(t, ok)
	}
}

// TestStateThatIsHalfWritten: however far a write of the state came, the one before is
// there, and the next write makes good. It is so at either of the two places.
func TestStateThatIsHalfWritten(t *testing.T) {
	dir := fileDir(t)
	path := filepath.Join(dir, stateName)
	build(t, dir, 3)
	for n := 4; n < 6; n++ {
		was, ok, err := ReadState(fsys.OS, dir)
		require.NoError(t, err)
		require.True(t, ok)
		next := was
		next.Seq++
		next.Applied += 100
		b := next.encode()
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		for wrote := range stateSize {
			half := bytes.Clone(before)
			copy(half[next.slot():], b[:wrote])
			require.NoError(t, os.WriteFile(path, half, 0o600))
			got, ok, err := ReadState(fsys.OS, dir)
			require.NoError(t, err)
			require.True(t, ok, "%d bytes", wrote)
			require.Equal(t, was, got, "%d bytes", wrote)
		}
		l := open(t, dir, testOptions())
		require.True(t, l.Trusted())
		require.NoError(t, l.Append(patch(n))) // marks it pending, at the place of what was half written
		require.NoError(t, l.Sync())
		require.NoError(t, l.SetState(func(*State) {}))
		require.NoError(t, l.Settle(LSN(n), FileID{}, Version{}, false)) // an odd number of writes
		require.NoError(t, l.Close())
		got, ok, err := ReadState(fsys.OS, dir)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, was.Seq+3, got.Seq)
		require.Equal(t, LSN(n), got.Applied)
	}
}

func TestStateOfANewerVersion(t *testing.T) {
	for _, at := range []int{4, 7, 249} {
		dir := fileDir(t)
		build(t, dir, 2)
		mutateState(t, filepath.Join(dir, stateName), func(b []byte) []byte {
			b[at] |= 0x42
			return resealState(b)
		})
		_, _, err := ReadState(fsys.OS, dir)
		require.ErrorIs(t, err, ErrVersion)
		_, err = Open(dir, testOptions())
		require.ErrorIs(t, err, ErrVersion)
	}
}

// A state that is lost, torn or of another boot costs a look at the tail; no more.
func TestOpenWithoutATrustedState(t *testing.T) {
	pristine := fileDir(t)
	build(t, pristine, 30)
	want := open(t, pristine, testOptions()).State()
	for name, spoil := range map[string]func(path string){
		"missing": func(path string) { require.NoError(t, os.Remove(path)) },
		"torn": func(path string) {
			mutateState(t, path, func(b []byte) []byte { return append(b[:100], make([]byte, 156)...) })
		},
		"empty":        func(path string) { require.NoError(t, os.Truncate(path, 0)) },
		"another boot": func(path string) { forget(t, filepath.Dir(path), 30) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyTree(t, pristine)
			spoil(filepath.Join(dir, stateName))
			l := open(t, dir, testOptions())
			require.False(t, l.Trusted())
			require.False(t, l.Known())
			got := l.State()
			require.Equal(t, want.Last, got.Last)
			require.Equal(t, want.CRC, got.CRC)
			require.Equal(t, want.Rev, got.Rev)
			require.Equal(t, want.Segment, got.Segment)
			require.Equal(t, want.Offset, got.Offset)
			require.GreaterOrEqual(t, got.Durable, LSN(29))
			commit(t, l, patch(31))
			require.True(t, l.Trusted() && l.Known())
			require.NoError(t, l.Close())
			require.True(t, open(t, dir, testOptions()).Trusted())
			requireWhole(t, dir, 31)
		})
	}
}

func TestFailedStateWriteIsNotBelieved(t *testing.T) {
	dir := fileDir(t)
	opt := testOptions()
	opt.FS = fsys.NewFailing(fsys.OS, fsys.Fault{Call: 4, Ops: []string{"write"}, Short: true})
	l := open(t, dir, opt)
	commit(t, l, patch(1)) // two writes of the state, and the record between them
	require.NoError(t, l.Append(patch(2)))
	require.NoError(t, l.Sync())
	require.Error(t, l.Settle(2, FileID{}, Version{}, false))
	require.False(t, l.Trusted())
	require.NoError(t, l.Refresh())
	require.False(t, l.Trusted())
	require.Equal(t, LSN(2), l.State().Last)
	commit(t, l, patch(3))
	requireWhole(t, dir, 3)
}

func TestBootID(t *testing.T) {
	require.NotZero(t, BootID())
	require.Equal(t, BootID(), BootID())
}

func TestIDs(t *testing.T) {
	seen := NewID()
	for range 1000 {
		id := NewID()
		require.Greater(t, id.String(), seen.String())
		require.Len(t, id.String(), 26)
		seen = id
	}
	got, err := ParseID(seen.String())
	require.NoError(t, err)
	require.Equal(t, seen, got)
	for _, bad := range []string{"", "x", seen.String() + "0", "U" + seen.String()[1:], "8" + seen.String()[1:]} {
		_, err := ParseID(bad)
		require.Error(t, err, "%q", bad)
	}
	require.True(t, ID{}.IsZero())
}

// TestIDsAreThoseOfTheLibrary: what is written and read here is what oklog/ulid, and so
// everybody, writes and reads.
func TestIDsAreThoseOfTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		require.Equal(t, ulid.ULID(id).String(), id.String())
		require.Equal(t, ulid.ULID(id).Timestamp().UTC(), id.Time())
		text := rapid.OneOf(rapid.Just(id.String()), rapid.Just(strings.ToLower(id.String())), rapid.StringMatching(`[0-9A-Za-z]{25,27}`)).Draw(t, "text")
		want, wantErr := ulid.ParseStrict(text)
		got, err := ParseID(text)
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if err == nil {
			require.Equal(t, ID(want), got)
		}
	})
}

// TestIDsRiseWithinAMillisecond, and where none is left the next ms is waited for.
func TestIDsRiseWithinAMillisecond(t *testing.T) {
	const milli = 1_700_000_000_000
	last, err := idAfter(ID{}, milli)
	require.NoError(t, err)
	for range 1000 {
		next, err := idAfter(last, milli)
		if err != nil {
			require.ErrorIs(t, err, errIDsUsedUp)
			break
		}
		require.Positive(t, bytes.Compare(next[:], last[:]))
		require.Equal(t, time.UnixMilli(milli).UTC(), next.Time())
		last = next
	}
	copy(last[6:], bytes.Repeat([]byte{0xff}, 10))
	_, err = idAfter(last, milli)
	require.ErrorIs(t, err, errIDsUsedUp)
	_, err = idAfter(last, milli+1)
	require.NoError(t, err)
}

func TestFileIDTellsAReplacedFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	id := func() FileID {
		info, err := os.Lstat(name)
		require.NoError(t, err)
		return FileIDOf(info)
	}
	require.NoError(t, os.WriteFile(name, []byte("a"), 0o600))
	before := id()
	require.Equal(t, before, id())
	require.NoError(t, os.WriteFile(name+"2", []byte("a"), 0o600))
	require.NoError(t, os.Rename(name+"2", name))
	require.NotEqual(t, before, id())
	require.Zero(t, FileIDOf(nil))
}
