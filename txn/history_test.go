package txn_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
)

// world is some files that are changed in every way, and a plain copy of each of
// their versions.
type world struct {
	t      *testing.T
	rnd    *rand.Rand
	dir    string
	s      *txn.Store
	boot   byte
	files  []string
	now    map[string]string            // what stands under each name; absent: nothing
	copies map[string]map[uint64]string // by file and revision; absentText: no file
	oldest map[string]uint64            // the oldest revision that is kept
	states []moment
	ids    []wal.ID
	kills  int // of processes in the middle of a transaction
	kept   int // of those transactions
}

const absentText = "\x00absent"

// moment is the state that a transaction left.
type moment struct {
	id   wal.ID
	revs map[string]uint64
}

func newWorld(t *testing.T, files int) *world {
	w := &world{t: t, rnd: random(t), dir: t.TempDir(), boot: 1, now: map[string]string{}, copies: map[string]map[uint64]string{}, oldest: map[string]uint64{}}
	for i := range files {
		name := fmt.Sprintf("f%d.json", i)
		w.files = append(w.files, name)
		w.copies[name] = map[uint64]string{}
	}
	w.reopen()
	return w
}

func (w *world) reopen() {
	s, err := txn.Open(w.dir, txntest.With(txn.Options{Actor: "tester"}, txntest.Hooks{Boot: [16]byte{w.boot}}))
	require.NoError(w.t, err)
	w.s = s
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// step changes a few files in one transaction.
func (w *world) step(opts ...txn.Option) txn.Result {
	names := w.pick()
	res, err := w.s.Do(context.Background(), names, func(tx *txn.Tx) error {
		for _, name := range names {
			if err := w.change(tx, name); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	require.NoError(w.t, err)
	w.note(res)
	return res
}

func (w *world) pick() []string {
	var names []string
	for _, i := range w.rnd.Perm(len(w.files))[:1+w.rnd.IntN(min(3, len(w.files)))] {
		names = append(names, w.files[i])
	}
	return names
}

func (w *world) change(tx *txn.Tx, name string) error {
	there, err := tx.Exists(name)
	if err != nil {
		return err
	}
	key := func() string { return "/" + string(rune('a'+w.rnd.IntN(6))) }
	if !there {
		return tx.Put(name, []byte("{\n  \"a\": 1,\n  \"list\": [1, 2]\n}\n"))
	}
	if _, err := tx.Get(name, "/list"); err != nil {
		return tx.Set(name, "/list", []int{w.rnd.IntN(9)})
	}
	switch w.rnd.IntN(12) {
	case 0:
		return tx.Remove(name)
	case 1:
		return tx.Put(name, fmt.Appendf(nil, "{ \"a\" : %d.0,\r\n\"list\":[] }", w.rnd.IntN(100)))
	case 2, 3:
		k := key()
		if _, err := tx.Get(name, k); err == nil {
			return tx.Delete(name, k)
		}
		return tx.Set(name, k, map[string]int{"x": w.rnd.IntN(9)})
	case 4, 5:
		return tx.Set(name, "/list/-", w.rnd.IntN(1000))
	case 6:
		return tx.Patch(name, []byte(`[{"op":"add","path":"/list/0","value":"front"}]`))
	default:
		return tx.Set(name, key(), w.rnd.IntN(1_000_000))
	}
}

// note keeps a copy of what the transaction left. A foreign edit that it found
// has been copied already.
func (w *world) note(res txn.Result) {
	if res.ID.IsZero() {
		return
	}
	w.ids = append(w.ids, res.ID)
	for _, f := range res.Files {
		if f.Changed {
			name := filepath.Base(f.File)
			if f.Rev == 2 && w.copies[name][1] == "" {
				w.copies[name][1] = w.now[name] // as it was first seen
			}
			w.copies[name][f.Rev] = w.read(name)
		}
	}
	m := moment{id: res.ID, revs: map[string]uint64{}}
	for name, revs := range w.copies {
		m.revs[name] = uint64(len(revs))
	}
	w.states = append(w.states, m)
}

func (w *world) read(name string) string {
	data, err := os.ReadFile(w.path(name))
	if os.IsNotExist(err) {
		data, err = []byte(absentText), nil
	}
	require.NoError(w.t, err)
	w.now[name] = string(data)
	return string(data)
}

// foreign edits a file as an editor would, and lets jtx find that.
func (w *world) foreign() {
	name := w.files[w.rnd.IntN(len(w.files))]
	if w.rnd.IntN(6) == 0 {
		if os.Remove(w.path(name)) != nil {
			return
		}
	} else {
		write(w.t, w.path(name), fmt.Sprintf("{\"a\":%d,\n\t\"list\":[%d]}\n", w.rnd.IntN(50), w.rnd.IntN(3)))
	}
	before := w.now[name]
	after := w.read(name)
	if before == after || len(w.copies[name]) == 0 {
		return // no change, or not tracked yet
	}
	w.copies[name][uint64(len(w.copies[name])+1)] = after
	_, err := admin.Recover(context.Background(), w.s, nil, admin.RecoverOptions{})
	require.NoError(w.t, err)
}

// verify is the checker, for some files.
func (w *world) verify(names []string) {
	var paths []string
	for _, name := range names {
		paths = append(paths, w.path(name))
	}
	results, err := admin.Verify(context.Background(), w.s, paths, admin.VerifyOptions{})
	require.NoError(w.t, err)
	require.Len(w.t, results, len(names))
	for _, r := range results {
		require.NoError(w.t, r.Err, r.File)
		require.False(w.t, r.Foreign || r.Unfinished, r.File)
	}
}

// check compares every version with its copy.
func (w *world) check() {
	verify(w.t, w.s)
	for name, revs := range w.copies {
		for rev, want := range revs {
			v, err := history.ReadVersion(context.Background(), w.s, name, history.AtRev(rev))
			if rev < w.oldest[name] {
				require.ErrorIs(w.t, err, txn.ErrNotFound)
				continue
			}
			require.NoError(w.t, err)
			got := string(v.Data)
			if !v.Exists {
				got = absentText
			}
			require.Equal(w.t, want, got, "%s@%d", name, rev)
			require.Equal(w.t, rev, v.Rev)
		}
	}
}

// compact drops what is older than a few revisions.
func (w *world) compact() {
	keep := uint64(1 + w.rnd.IntN(100))
	done, err := admin.Compact(context.Background(), w.s, nil, admin.Retention{Revs: keep})
	require.NoError(w.t, err)
	for _, c := range done {
		name := filepath.Base(c.File)
		if n := uint64(len(w.copies[name])); n > keep {
			require.LessOrEqual(w.t, c.Oldest, max(n-keep+1, w.oldest[name]))
		}
		w.oldest[name] = c.Oldest
	}
}

func TestEveryVersionEqualsItsCopy(t *testing.T) {
	steps := 1000
	if testing.Short() {
		steps = 200
	}
	w := newWorld(t, 5)
	long := txn.WithMessage(strings.Repeat("long enough for old segments to be compressed ", 40))
	for i := range steps {
		switch w.rnd.IntN(40) {
		case 0, 1:
			w.foreign()
		case 2:
			w.boot++
			w.reopen()
		case 3:
			if w.rnd.IntN(4) == 0 {
				w.compact()
			}
		case 4, 5:
			w.killed()
		}
		res := w.step(long)
		var touched []string
		for _, f := range res.Files {
			touched = append(touched, filepath.Base(f.File))
		}
		w.verify(touched)
		if i%200 == 199 {
			w.check()
		}
	}
	t.Logf("%d processes were killed, %d of their transactions stand", w.kills, w.kept)
	for _, m := range w.states {
		versions, err := history.ReadVersions(context.Background(), w.s, keysOf(m.revs), history.AtTx(m.id))
		if errors.Is(err, txn.ErrNotFound) {
			continue // no file has kept it
		}
		require.NoError(t, err)
		for _, v := range versions {
			name := filepath.Base(v.File)
			if m.revs[name] >= w.oldest[name] {
				require.Equal(t, m.revs[name], v.Rev, "%s at %s", v.File, m.id)
			}
		}
	}
}

func keysOf(revs map[string]uint64) []string {
	var names []string
	for name, rev := range revs {
		if rev > 0 {
			names = append(names, name)
		}
	}
	return names
}

func TestHistoryTellsEveryTransaction(t *testing.T) {
	w := newWorld(t, 3)
	for range 60 {
		w.step(txn.WithMessage("m"))
		w.foreign()
	}
	var ids []wal.ID
	docs := map[string]*jsonpatch.Document{}
	var entries []history.Entry
	for e, err := range history.Log(context.Background(), w.s, nil, history.LogOptions{Patches: true}) {
		require.NoError(t, err)
		entries = append(entries, e)
		if e.Message == "m" {
			ids = append(ids, e.ID)
		}
		shown, err := history.Show(context.Background(), w.s, e.ID)
		require.NoError(t, err)
		require.Equal(t, e, shown)
	}
	require.Len(t, ids, len(w.ids))
	for i, id := range ids {
		require.Equal(t, w.ids[len(w.ids)-1-i], id)
	}
	// The patches lead from nothing to each version, by value.
	for i := len(entries) - 1; i >= 0; i-- {
		for _, f := range entries[i].Files {
			name := filepath.Base(f.File)
			want := w.copies[name][f.Rev]
			if want == absentText {
				docs[name] = nil
				continue
			}
			if docs[name] == nil {
				docs[name] = jsonpatch.Trusted(f.Patch[0].Value, jsonpatch.Strict)
				require.Equal(t, "add", f.Patch[0].Op)
			} else {
				var err error
				docs[name], _, err = docs[name].Apply(f.Patch, jsonpatch.Limits{})
				require.NoError(t, err)
			}
			require.True(t, jsonpatch.Equal(docs[name].Bytes(), []byte(want)), "%s@%d", name, f.Rev)
		}
	}
}

func TestPoints(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":0}`)
	var ids []wal.ID
	for i := range 5 {
		ids = append(ids, set(t, s, "a.json", "/n", i+1).ID)
	}
	at := func(text string) string {
		p, err := history.ParsePoint(text, time.Now())
		require.NoError(t, err)
		v, err := history.ReadVersion(context.Background(), s, "a.json", p)
		if err != nil {
			require.ErrorIs(t, err, txn.ErrNotFound)
			return "none"
		}
		return string(v.Data)
	}
	require.Equal(t, `{"n":0}`, at("1"))
	require.Equal(t, `{"n":5}`, at("6"))
	require.Equal(t, `none`, at("7"))
	require.Equal(t, `none`, at("0"))
	require.Equal(t, `{"n":5}`, at("-0"))
	require.Equal(t, `{"n":4}`, at("-1"))
	require.Equal(t, `none`, at("-6"))
	require.Equal(t, `{"n":3}`, at(ids[2].String()))
	require.Equal(t, `none`, at(wal.NewID().String()))
	require.Equal(t, `{"n":5}`, at("0s ago"))
	require.Equal(t, `none`, at("1d2h ago"))
	require.Equal(t, `none`, at(strings.Repeat("9", 400)+"w ago"), "before all")
	write(t, filepath.Join(dir, "a.json"), `{"n":6}`)
	require.Equal(t, `{"n":5}`, at("-1"), "what stands there is the current version, recorded or not")
	for _, bad := range []string{"", "x", "1x ago", "2026-01-32", "--1"} {
		_, err := history.ParsePoint(bad, time.Now())
		require.ErrorIs(t, err, txn.ErrInvalid, bad)
	}
}

// Times, by which transactions are ordered, rise though the clock is set back: the newest record
// is an hour ahead of it here.
func TestTimesRiseWhateverTheClockDoes(t *testing.T) {
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	set(t, s, "b.json", "/n", 1)
	forward(t, dir, "a.json", time.Hour)
	both := func(tx *txn.Tx) error {
		if _, err := tx.Get("a.json", "/n"); err != nil {
			return err
		}
		return tx.Set("b.json", "/n", 2)
	}
	_, err := s.Do(context.Background(), []string{"a.json", "b.json"}, both)
	require.NoError(t, err)
	for e, err := range history.Log(context.Background(), s, nil, history.LogOptions{}) {
		require.NoError(t, err)
		require.Equal(t, "b.json", filepath.Base(e.Files[0].File))
		require.Greater(t, time.Until(e.ID.Time()), time.Minute, "by which it is ordered")
		require.LessOrEqual(t, time.Until(e.Time), time.Duration(0), "which is told: that of its own clock")
		break
	}
}

// forward makes the newest record of a file one of the future.
func forward(t *testing.T, dir, name string, by time.Duration) {
	t.Helper()
	log, err := wal.Open(filepath.Join(dir, ".jtx", "files", name), wal.Options{})
	require.NoError(t, err)
	last, err := log.Read(log.State().Last)
	require.NoError(t, err)
	at := time.Now().Add(by)
	id := wal.NewIDAt(at)
	st := log.State()
	rec := &wal.Record{Kind: wal.KindImage, Unit: id, Rev: last.Rev + 1, Before: last.After, After: last.After, Txns: []wal.Txn{{ID: id, Time: at, Patch: []byte("[]")}}}
	rec.Image, err = os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	require.NoError(t, log.Append(rec))
	require.NoError(t, log.Sync())
	require.NoError(t, log.Settle(rec.LSN, st.File, st.Content, st.Strict))
	require.NoError(t, log.Close())
}
