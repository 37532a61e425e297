package history_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

func doPatch(t *testing.T, s *txn.Store, file, patch string) wal.ID {
	t.Helper()
	res, err := s.Do(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Patch(file, []byte(patch)) })
	require.NoError(t, err)
	return res.ID
}

func TestUndo(t *testing.T) {
	for _, c := range []struct {
		name, before, undone string
		later                []string
		want                 string // empty: a conflict
	}{
		{"newest", `{"a": 1.0}`, `[{"op":"replace","path":"/a","value":2}]`, nil, `{"a": 1.0}`},
		{"not the newest", `{"a":1}`, `[{"op":"replace","path":"/a","value":2}]`, []string{`[{"op":"add","path":"/b","value":3}]`}, `{"a":1,"b":3}`},
		{"spelling", `{"a":1e0,  "z" :[ ]}`, `[{"op":"remove","path":"/a"}]`, []string{`[{"op":"add","path":"/b","value":3}]`}, `{"a":1e0,  "z" :[ ], "b" :3}`},
		{"member order", `{"a":1,"b":2,"c":3}`, `[{"op":"remove","path":"/b"}]`, []string{`[{"op":"replace","path":"/c","value":4}]`}, `{"a":1,"b":2,"c":4}`},
		{"same place", `{"a":1}`, `[{"op":"replace","path":"/a","value":2}]`, []string{`[{"op":"replace","path":"/a","value":3}]`}, ``},
		{"in the place", `{"a":1}`, `[{"op":"replace","path":"/a","value":{}}]`, []string{`[{"op":"add","path":"/a/x","value":3}]`}, ``},
		{"around the place", `{"a":{"x":1}}`, `[{"op":"replace","path":"/a/x","value":2}]`, []string{`[{"op":"replace","path":"/a","value":{"x":5}}]`}, ``},
		{"beside the place", `{"a":{"x":1}}`, `[{"op":"replace","path":"/a/x","value":2}]`, []string{`[{"op":"add","path":"/a/y","value":2}]`}, `{"a":{"x":1,"y":2}}`},
		{"gone", `{"a":{"x":1}}`, `[{"op":"replace","path":"/a/x","value":2}]`, []string{`[{"op":"remove","path":"/a"}]`}, ``},
		{"filled again", `{"a":1,"b":2}`, `[{"op":"remove","path":"/a"}]`, []string{`[{"op":"add","path":"/a","value":2}]`}, ``},
		{"shifted", `{"l":[1,2,3]}`, `[{"op":"replace","path":"/l/1","value":20}]`, []string{`[{"op":"add","path":"/l/0","value":0}]`}, `{"l":[0,1,2,3]}`},
		{"shifted down", `{"l":[1,2,3]}`, `[{"op":"replace","path":"/l/2","value":30}]`, []string{`[{"op":"remove","path":"/l/0"}]`}, `{"l":[2,3]}`},
		{"removed element", `{"l":[1,2,3]}`, `[{"op":"remove","path":"/l/1"}]`, []string{`[{"op":"add","path":"/l/-","value":4}]`, `[{"op":"add","path":"/l/0","value":0}]`}, `{"l":[0,1,2,3,4]}`},
		{"neighbours gone", `{"l":[1,2,3]}`, `[{"op":"remove","path":"/l/1"}]`, []string{`[{"op":"remove","path":"/l/0"}]`, `[{"op":"remove","path":"/l/0"}]`}, `{"l":[2]}`},
		{"added element", `{"l":[1]}`, `[{"op":"add","path":"/l/0","value":0}]`, []string{`[{"op":"add","path":"/l/0","value":-1}]`}, `{"l":[-1,1]}`},
		{"container moved", `{"a":{"x":1},"b":{}}`, `[{"op":"replace","path":"/a/x","value":2}]`, []string{`[{"op":"move","from":"/a","path":"/b/a"}]`}, `{"b":{"a":{"x":1}}}`},
		{"move", `{"a":{"x":1}}`, `[{"op":"move","from":"/a","path":"/b"}]`, []string{`[{"op":"replace","path":"/b/x","value":2}]`}, `{"a":{"x":2}}`},
		{"move back to its old neighbours", `{"a":{"x":1,"y":2},"b":{}}`, `[{"op":"move","from":"/a/x","path":"/b/x"}]`, []string{`[{"op":"replace","path":"/a/y","value":3}]`}, `{"a":{"x":1,"y":3},"b":{}}`},
		{"move over a value", `{"a":1,"b":2}`, `[{"op":"move","from":"/a","path":"/b"}]`, []string{`[{"op":"add","path":"/c","value":3}]`}, `{"a":1,"b":2,"c":3}`},
		{"copy", `{"a":{"x":1}}`, `[{"op":"copy","from":"/a","path":"/b"}]`, []string{`[{"op":"replace","path":"/a/x","value":2}]`}, `{"a":{"x":2}}`},
		{"copy changed since", `{"a":{"x":1}}`, `[{"op":"copy","from":"/a","path":"/b"}]`, []string{`[{"op":"replace","path":"/b/x","value":2}]`}, ``},
		{"several steps in one place", `{"a":{"x":1}}`, `[{"op":"replace","path":"/a/x","value":2},{"op":"replace","path":"/a","value":[]},{"op":"add","path":"/a/-","value":1}]`, []string{`[{"op":"add","path":"/c","value":3}]`}, `{"a":{"x":1},"c":3}`},
		{"empty object", `{}`, `[{"op":"add","path":"/a","value":1}]`, []string{`[{"op":"add","path":"/b","value":2}]`}, "{\n  \"b\": 2\n}"},
		{"move in an array", `{"l":[1,2,3]}`, `[{"op":"move","from":"/l/0","path":"/l/2"}]`, []string{`[{"op":"add","path":"/l/-","value":4}]`}, `{"l":[1,2,3,4]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := openStore(t)
			path := filepath.Join(dir, "a.json")
			write(t, path, c.before)
			id := doPatch(t, s, "a.json", c.undone)
			for _, p := range c.later {
				doPatch(t, s, "a.json", p)
			}
			now := read(t, path)
			res, err := history.Undo(context.Background(), s, id)
			if c.want == "" {
				var conflict *history.UndoConflict
				require.ErrorIs(t, err, txn.ErrConflict)
				require.ErrorAs(t, err, &conflict)
				require.Equal(t, now, read(t, path))
				return
			}
			require.NoError(t, err)
			require.JSONEq(t, c.want, read(t, path))
			require.Equal(t, c.want, read(t, path))
			_, err = history.Undo(context.Background(), s, res.ID) // undo of undo
			require.NoError(t, err)
			require.Equal(t, now, read(t, path))
			verify(t, s)
		})
	}
}

func TestUndoOfFilesMadeAndRemoved(t *testing.T) {
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	made := set(t, s, "a.json", "/n", 1).ID
	text := read(t, path)
	res, err := history.Undo(context.Background(), s, made)
	require.NoError(t, err)
	require.NoFileExists(t, path)
	_, err = history.Undo(context.Background(), s, res.ID)
	require.NoError(t, err)
	require.Equal(t, text, read(t, path))
	_, err = history.Undo(context.Background(), s, made)
	require.NoError(t, err, "the file is byte for byte what the transaction left")
	require.NoFileExists(t, path)
	_, err = history.Undo(context.Background(), s, made)
	require.ErrorIs(t, err, txn.ErrConflict)
	_, err = history.Undo(context.Background(), s, wal.NewID())
	require.ErrorIs(t, err, txn.ErrNotFound)
}

// What was undone is not undone again, which would give an element back twice; what
// was redone is as it was before.
func TestUndoTwice(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	write(t, path, `{"l":[1,2,3]}`)
	removed := doPatch(t, s, "a.json", `[{"op":"remove","path":"/l/1"}]`)
	undone, err := history.Undo(ctx, s, removed, txn.WithMessage("not that one"))
	require.NoError(t, err)
	e, err := history.Show(ctx, s, undone.ID)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("not that one (undo %s)", removed), e.Message)
	set(t, s, "a.json", "/n", 1)
	_, err = history.Undo(ctx, s, removed)
	var conflict *history.UndoConflict
	require.ErrorIs(t, err, txn.ErrConflict)
	require.ErrorAs(t, err, &conflict)
	require.True(t, conflict.Undone)
	require.ErrorContains(t, err, fmt.Sprintf("transaction %s is already undone by %s", removed, undone.ID))
	require.Contains(t, read(t, path), `[1,2,3]`)

	redone, err := history.Undo(ctx, s, undone.ID)
	require.NoError(t, err)
	require.Contains(t, read(t, path), `[1,3]`)
	_, err = history.Undo(ctx, s, undone.ID)
	require.ErrorContains(t, err, fmt.Sprintf("already undone by %s", redone.ID))
	_, err = history.Undo(ctx, s, redone.ID)
	require.NoError(t, err)
	require.Contains(t, read(t, path), `[1,2,3]`)
	_, err = history.Undo(ctx, s, removed)
	require.ErrorContains(t, err, fmt.Sprintf("already undone by %s", undone.ID))
}

func TestUndoInSeveralFiles(t *testing.T) {
	s, dir := openStore(t)
	both := []string{"a.json", "b.json"}
	for _, f := range both {
		set(t, s, f, "/n", 1)
	}
	res, err := s.Do(context.Background(), both, func(tx *txn.Tx) error {
		return errors.Join(tx.Set("a.json", "/n", 2), tx.Set("b.json", "/n", 2))
	})
	require.NoError(t, err)
	set(t, s, "a.json", "/m", 1)
	undone, err := history.Undo(context.Background(), s, res.ID)
	require.NoError(t, err)
	require.Len(t, undone.Files, 2)
	require.Equal(t, "1", get(t, s, "a.json", "/n"))
	require.Equal(t, "1", get(t, s, "b.json", "/n"))
	set(t, s, "b.json", "/n", 5)
	_, err = history.Undo(context.Background(), s, undone.ID)
	require.ErrorIs(t, err, txn.ErrConflict)
	require.Equal(t, "1", get(t, s, "a.json", "/n"), "nothing is half undone")
	require.Equal(t, filepath.Join(dir, "a.json"), undone.Files[0].File)
}

// model is a list of cells and a table of slots, each with what it held after
// each change: what undo must come to is read off that.
type model struct {
	cells []*cell // of the list, in order; those removed keep their place
	slots map[string]*cell
}

type cell struct {
	value int
	gone  bool
	// changes are the transactions that set or removed the cell, in order, with
	// what it was before.
	changes []cellChange
}

type cellChange struct {
	id    wal.ID
	value int
	gone  bool
}

func (c *cell) set(id wal.ID, value int, gone bool) {
	c.changes = append(c.changes, cellChange{id, c.value, c.gone})
	c.value, c.gone = value, gone
}

func (m *model) text() string {
	list := []int{}
	for _, c := range m.cells {
		if !c.gone {
			list = append(list, c.value)
		}
	}
	slots := map[string]any{"list": list}
	for k, c := range m.slots {
		if !c.gone {
			slots[k] = c.value
		}
	}
	b, _ := json.Marshal(slots)
	return string(b)
}

// alive is the i-th element that is there.
func (m *model) alive(i int) *cell {
	for _, c := range m.cells {
		if !c.gone {
			if i == 0 {
				return c
			}
			i--
		}
	}
	return nil
}

func (m *model) length() (n int) {
	for _, c := range m.cells {
		if !c.gone {
			n++
		}
	}
	return n
}

// step changes the model in one place and returns the patch that says so. The id
// of its transaction is set later, through the cell.
func (m *model) step(rnd *rand.Rand) (string, *cell, func(wal.ID)) {
	n := m.length()
	v := rnd.IntN(1_000_000)
	switch k := rnd.IntN(5); {
	case k == 0 && n > 0:
		i := rnd.IntN(n)
		c := m.alive(i)
		return fmt.Sprintf(`[{"op":"remove","path":"/list/%d"}]`, i), c, func(id wal.ID) { c.set(id, c.value, true) }
	case k == 1 && n > 0:
		i := rnd.IntN(n)
		c := m.alive(i)
		return fmt.Sprintf(`[{"op":"replace","path":"/list/%d","value":%d}]`, i, v), c, func(id wal.ID) { c.set(id, v, false) }
	case k == 2:
		c := &cell{gone: true}
		return fmt.Sprintf(`[{"op":"add","path":"/list/-","value":%d}]`, v), c, func(id wal.ID) {
			m.cells = append(m.cells, c)
			c.set(id, v, false)
		}
	}
	key := string(rune('a' + rnd.IntN(8)))
	c := m.slots[key]
	if c == nil {
		c = &cell{gone: true}
		m.slots[key] = c
	}
	switch {
	case c.gone:
		return fmt.Sprintf(`[{"op":"add","path":"/%s","value":%d}]`, key, v), c, func(id wal.ID) { c.set(id, v, false) }
	case rnd.IntN(2) == 0:
		return fmt.Sprintf(`[{"op":"remove","path":"/%s"}]`, key), c, func(id wal.ID) { c.set(id, c.value, true) }
	default:
		return fmt.Sprintf(`[{"op":"replace","path":"/%s","value":%d}]`, key, v), c, func(id wal.ID) { c.set(id, v, false) }
	}
}

// undo tells whether the change can be taken back, and takes it back. An element
// comes back directly before the one that follows: where others are gone from the
// same place, nothing in a patch says between which of them it is.
func (m *model) undo(c *cell, id wal.ID) bool {
	n := len(c.changes)
	if n == 0 || c.changes[n-1].id != id {
		return false
	}
	last := c.changes[n-1]
	back := c.gone && !last.gone
	c.changes = c.changes[:n-1] // what was before it can be taken back now
	c.value, c.gone = last.value, last.gone
	i := slices.Index(m.cells, c)
	if i < 0 || !back {
		return true
	}
	m.cells = slices.Delete(m.cells, i, i+1)
	for i < len(m.cells) && m.cells[i].gone {
		i++
	}
	m.cells = slices.Insert(m.cells, i, c)
	return true
}

func TestUndoEndsWhereAModelEnds(t *testing.T) {
	rnd := random(t)
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	write(t, path, `{"list":[]}`)
	m := &model{slots: map[string]*cell{}}
	where := map[wal.ID]*cell{}
	var ids []wal.ID
	const steps = 200
	for range steps {
		patch, c, done := m.step(rnd)
		id := doPatch(t, s, "a.json", patch)
		done(id)
		ids, where[id] = append(ids, id), c
		require.JSONEq(t, m.text(), read(t, path))
	}
	conflicts := 0
	for _, i := range rnd.Perm(steps) {
		_, err := history.Undo(context.Background(), s, ids[i])
		if err != nil {
			require.ErrorIs(t, err, txn.ErrConflict)
			conflicts++
		}
		if !m.undo(where[ids[i]], ids[i]) {
			require.Error(t, err, "%s: the model has a conflict", ids[i])
		} else {
			require.NoError(t, err)
		}
		require.JSONEq(t, m.text(), read(t, path))
	}
	t.Logf("%d of %d were conflicts", conflicts, steps)
	verify(t, s)
}
