package wal

import (
	"errors"
	"os"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// scanOnce is Scan without its second looks, which take time.
func scanOnce(dir string) (recs []*Record, err error) {
	s := scanner{fsy: fsys.OS, dir: dir, next: 1, yield: func(r *Record, _ error) bool {
		recs = append(recs, r)
		return true
	}}
	v, err := look(s.fsy, dir)
	if err == nil {
		err = s.forward(v)
	}
	return recs, err
}

// damageTail runs check with each of n variants of the tail segment's bytes.
func damageTail(t *testing.T, dir string, n int, vary func(int, []byte) []byte, check func(t *testing.T, variant int)) {
	t.Helper()
	path := tailSegment(t, dir)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	state, err := os.ReadFile(dir + "/" + stateName)
	require.NoError(t, err)
	for i := range n {
		for _, made := range segments(t, dir) {
			if made != path {
				require.NoError(t, os.Remove(made))
			}
		}
		overwrite(t, path, vary(i, append([]byte(nil), whole...)))
		overwrite(t, dir+"/"+stateName, state)
		check(t, i)
		if t.Failed() {
			t.Fatalf("variant %d", i)
		}
	}
}

// overwrite doesn't truncate first: some file systems flush such a file when it is
// closed, and there are thousands.
func overwrite(t *testing.T, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	_, err = f.WriteAt(b, 0)
	require.NoError(t, errors.Join(err, f.Truncate(int64(len(b))), f.Close()))
}

func flip(bit int, b []byte) []byte {
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

// bigSegments keeps a test's journal in one segment.
func bigSegments() Options { return Options{Boot: boot} }

func buildOne(t *testing.T, n int, durable LSN) (dir string, bits int) {
	t.Helper()
	dir = fileDir(t)
	l := open(t, dir, bigSegments())
	for i := range n {
		commit(t, l, patch(i+1))
	}
	require.NoError(t, l.CutRoom())
	require.NoError(t, l.Close())
	forget(t, dir, durable)
	b, err := os.ReadFile(tailSegment(t, dir))
	require.NoError(t, err)
	return dir, 8 * len(b)
}

// Hazard 1: tidwall/wal has no checksum.
func TestHazard01EveryBitFlipOfADurableJournalIsRefused(t *testing.T) {
	const n = 3
	dir, bits := buildOne(t, n, n)
	damageTail(t, dir, bits, flip, func(t *testing.T, _ int) {
		recs, err := scanOnce(dir)
		requireRefused(t, err)
		requirePrefix(t, recs, n-1)
		_, err = Open(dir, bigSegments())
		requireRefused(t, err)
	})
}

func requireRefused(t *testing.T, err error) {
	t.Helper()
	var where *CorruptError
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorAs(t, err, &where)
	require.NotZero(t, where.LSN)
	require.NotEmpty(t, where.Path)
}

// requirePrefix checks that recs are the first of patch(1), patch(2) …, and at most n.
func requirePrefix(t *testing.T, recs []*Record, n int) {
	t.Helper()
	require.LessOrEqual(t, len(recs), n)
	for i, r := range recs {
		requirePatch(t, r, i+1)
	}
}

// Of a journal whose state is lost, all records but the last are proven durable by
// the one behind them. The last is cut.
func TestHazard01EveryBitFlipWithoutAState(t *testing.T) {
	const n = 3
	dir, bits := buildOne(t, n, 0)
	recs, err := scanAll(dir)
	require.NoError(t, err)
	last, err := recs[n-1].Encode()
	require.NoError(t, err)
	tail := bits - 8*int(entrySize(len(last)))
	damageTail(t, dir, bits, flip, func(t *testing.T, bit int) {
		recs, err := scanOnce(dir)
		l, openErr := Open(dir, bigSegments())
		if bit < tail {
			requireRefused(t, err)
			requireRefused(t, openErr)
			return
		}
		require.NoError(t, err)
		require.Len(t, recs, n-1)
		requirePrefix(t, recs, n-1)
		require.NoError(t, openErr)
		require.Equal(t, LSN(n-1), l.State().Last)
		require.Equal(t, LSN(n), l.Cut().First)
		require.NoError(t, tryCommit(l, patch(n)))
		require.NoError(t, l.Close())
		recs, err = scanOnce(dir)
		require.NoError(t, err)
		require.Len(t, recs, n)
		requirePrefix(t, recs, n)
	})
}

// Hazard 2: a torn tail makes tidwall/wal's Open fail.
func TestHazard02EveryTruncation(t *testing.T) {
	const n, durable = 5, 3
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	commit(t, l, patch(1), patch(2), patch(3))
	kept := l.State().Offset
	require.NoError(t, l.Append(patch(4), patch(5)))
	size := l.State().Offset
	require.NoError(t, l.Close())
	forget(t, dir, durable)

	truncate := func(i int, b []byte) []byte { return b[:i] }
	damageTail(t, dir, int(size)+1, truncate, func(t *testing.T, at int) {
		recs, err := scanOnce(dir)
		l, openErr := Open(dir, bigSegments())
		if int64(at) < kept {
			requireRefused(t, err)
			requireRefused(t, openErr)
			return
		}
		require.NoError(t, err)
		requirePrefix(t, recs, n)
		require.GreaterOrEqual(t, len(recs), durable)
		require.NoError(t, openErr)
		require.Equal(t, LSN(len(recs)), l.State().Last)
		if cut := l.Cut(); cut != (CutReport{}) {
			require.Equal(t, int64(at)-cut.Offset, cut.Bytes)
		}
		require.NoError(t, tryCommit(l, patch(len(recs)+1)))
		require.NoError(t, l.Close())
		after, err := scanOnce(dir)
		require.NoError(t, err)
		require.Len(t, after, len(recs)+1)
		requirePrefix(t, after, n+1)
	})
}

// Hazard 3: a tail of zeros parses as thousands of empty entries.
func TestHazard03ZeroTail(t *testing.T) {
	for _, zeros := range []int{1, 2, 43, 44, 45, 511, 4096, 70_000} {
		dir, _ := buildOne(t, 4, 4)
		mutate(t, tailSegment(t, dir), func(b []byte) []byte { return append(b, make([]byte, zeros)...) })
		requireWhole(t, dir, 4)
		report, err := Inspect(fsys.OS, dir)
		require.NoError(t, err)
		require.False(t, report.Torn, "it may be room for records")
		require.Equal(t, int64(zeros), report.TornSize)
		l := open(t, dir, bigSegments())
		require.Equal(t, int64(zeros), l.Cut().Bytes)
		require.Equal(t, LSN(5), l.Cut().First)
		require.True(t, l.Cut().Blank)
		commit(t, l, patch(5))
		requireWhole(t, dir, 5)
	}
}

// Whole frames behind a bad one were never durable, so they go too.
func TestTornTailTakesTheWholeFramesBehindIt(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	commit(t, l, patch(1), patch(2))
	at := l.State().Offset
	require.NoError(t, l.Append(patch(3), patch(4), patch(5)))
	require.NoError(t, l.Close())
	mutate(t, tailSegment(t, dir), func(b []byte) []byte { return flip(8*int(at)+800, b) })
	l = open(t, dir, bigSegments())
	require.Equal(t, LSN(2), l.State().Last)
	require.Equal(t, LSN(3), l.Cut().First)
	commit(t, l, patch(3))
	requireWhole(t, dir, 3)
}

// A frame inside a file's own bytes says nothing about the journal.
func TestFrameInsideAnImageProvesNothing(t *testing.T) {
	dir, _ := buildOne(t, 2, 2)
	r := patch(9)
	r.LSN, r.Durable = 9, 8
	frame, err := r.Encode()
	require.NoError(t, err)
	l := open(t, dir, bigSegments())
	require.NoError(t, l.Append(image(3, "xx"+string(frame))))
	require.NoError(t, l.Close())
	mutate(t, tailSegment(t, dir), func(b []byte) []byte { return b[:len(b)-1] })
	l = open(t, dir, bigSegments())
	require.Equal(t, LSN(2), l.State().Last)
}

// Hazard 4: only the last segment is checked by tidwall/wal, and a missing or short
// one in the middle panics.
func TestHazard04MiddleSegments(t *testing.T) {
	const n = 60
	pristine := fileDir(t)
	build(t, pristine, n)
	count := len(segments(t, pristine))
	require.Greater(t, count, 4)
	for i := range count - 1 {
		for name, damage := range map[string]func(path string) error{
			"missing": os.Remove,
			"empty":   func(path string) error { return os.Truncate(path, 0) },
			"short":   func(path string) error { return os.Truncate(path, 300) },
			"flipped": func(path string) error {
				b, err := os.ReadFile(path)
				return errors.Join(err, os.WriteFile(path, flip(8*500, b), 0o600))
			},
		} {
			dir := copyTree(t, pristine)
			require.NoError(t, damage(segments(t, dir)[i]))
			recs, err := scanOnce(dir)
			requireRefused(t, err)
			requirePrefix(t, recs, n)
			report, err := inspect(fsys.OS, dir, 0)
			if err == nil {
				require.NotEmpty(t, report.Damage, "%s %d", name, i)
			}
			if i == count-2 {
				forget(t, dir, 0)
				_, err = Open(dir, testOptions())
				requireRefused(t, err)
			}
		}
	}
}

func TestLostJournalIsDamage(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 3)
	for _, path := range segments(t, dir) {
		require.NoError(t, os.Remove(path))
	}
	_, err := scanOnce(dir)
	requireRefused(t, err)
	_, err = Open(dir, testOptions())
	requireRefused(t, err)
	report, err := Inspect(fsys.OS, dir)
	require.NoError(t, err)
	require.Len(t, report.Damage, 1)
}

// A length that rots under a state that is trusted is met when a record is to follow.
func TestRotUnderATrustedStateIsRefused(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	commit(t, l, patch(1), patch(2), patch(3))
	require.NoError(t, l.Close())
	mutate(t, tailSegment(t, dir), func(b []byte) []byte { b[0]++; return b })
	l = open(t, dir, bigSegments())
	require.True(t, l.Trusted())
	requireRefused(t, l.Append(patch(4)))
	require.ErrorIs(t, l.Append(patch(4)), ErrFailed)
	requireRefused(t, l.Reopen())
}

func TestCopiedTailHidesWhatTheOlderSegmentHolds(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	commit(t, l, patch(1), patch(2))
	require.NoError(t, l.Append(patch(3), patch(4)))
	require.NoError(t, l.Secure())
	require.Equal(t, LSN(4), l.State().Durable)
	require.Equal(t, LSN(3), l.State().Segment)
	require.NoError(t, l.Close())
	all := segments(t, dir)
	require.Len(t, all, 2)
	end, err := os.Stat(all[0])
	require.NoError(t, err)
	for name, damage := range map[string]func(b []byte) []byte{
		"as it was": func(b []byte) []byte { return b },
		"garbage":   func(b []byte) []byte { return append(b, "garbage"...) },
		"flipped":   func(b []byte) []byte { return flip(8*int(end.Size()-20), b) },
		"cut":       func(b []byte) []byte { return b[:len(b)-40] },
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyTree(t, dir)
			mutate(t, segments(t, dir)[0], damage)
			requireWhole(t, dir, 4)
			report, err := Inspect(fsys.OS, dir)
			require.NoError(t, err)
			require.Empty(t, report.Damage)
			forget(t, dir, 0)
			l := open(t, dir, bigSegments())
			require.Equal(t, LSN(4), l.State().Last)
			commit(t, l, patch(5))
			requireWhole(t, dir, 5)
		})
	}
}

// What a copied tail hides must not come alive when the copy itself is gone.
func TestEmptySegmentBehindACopiedTail(t *testing.T) {
	dir := fileDir(t)
	l := open(t, dir, bigSegments())
	commit(t, l, patch(1))
	require.NoError(t, l.Append(patch(2)))
	require.NoError(t, l.Secure())
	require.NoError(t, l.Close())
	forget(t, dir, 1)
	require.NoError(t, os.Truncate(tailSegment(t, dir), 0))
	l = open(t, dir, bigSegments())
	require.Equal(t, LSN(1), l.State().Last)
	require.Len(t, segments(t, dir), 1)
	commit(t, l, patch(2))
	requireWhole(t, dir, 2)
}
