package history_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

const homeText = `{
  // the first
  "alpha": 1.0, // one

  /* a group */
  "beta": {"x": [1, 2], "y": "caf\u00e9"},
  "gamma": [
    // ten
    10, // x
    20,
    30 // z
  ],

  "delta": {
    "k": 1e2 // hundred
  },
  "omega": null // last
}
`

// someEdit changes the file in one of the ways that there are. It reports false where
// that changed nothing.
func someEdit(ctx context.Context, t *testing.T, s *txn.Store, rnd *rand.Rand, path string, step int) (wal.ID, bool) {
	t.Helper()
	names := []string{"alpha", "beta", "gamma", "delta", "omega", "new", "zeta"}
	name := "/" + names[rnd.IntN(len(names))]
	values := []string{`{"a": [1, {"b": 2}]}`, `[1,2,3]`, `"text"`, fmt.Sprint(step), `{}`}
	value := json.RawMessage(values[rnd.IntN(len(values))])
	res, err := s.Do(ctx, []string{"a.jsonc"}, func(tx *txn.Tx) error {
		if there, err := tx.Exists("a.jsonc"); err != nil || !there {
			return tx.Put("a.jsonc", []byte(homeText))
		}
		switch rnd.IntN(9) {
		case 0, 1:
			return tx.Delete("a.jsonc", name)
		case 2, 3:
			return tx.Set("a.jsonc", name, value)
		case 4:
			return tx.Patch("a.jsonc", fmt.Appendf(nil, `[{"op":"move","from":%q,"path":%q}]`, name, "/"+names[rnd.IntN(len(names))]))
		case 5:
			return tx.Merge("a.jsonc", fmt.Appendf(nil, `{"gamma":[%d,20],"m":{"n":%d}}`, step, step))
		case 6:
			return tx.Patch("a.jsonc", fmt.Appendf(nil, `[{"op":"add","path":"/gamma/0","value":%d},{"op":"remove","path":"/gamma/1"}]`, step))
		case 7:
			return tx.Remove("a.jsonc")
		}
		return tx.Put("a.jsonc", fmt.Appendf(nil, "{\"alpha\": %d,\n\t\"gamma\": [1], // own\n\"beta\":{}}", step))
	})
	if err != nil || res.ID.IsZero() {
		return wal.ID{}, false
	}
	return res.ID, true
}

func textOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return "no file"
	}
	require.NoError(t, err)
	return string(data)
}

// Newest first always works back to the first byte, through any mix of operations.
func TestUndoNewestFirstComesHome(t *testing.T) {
	ctx := context.Background()
	rnd := random(t)
	for range 4 {
		s, dir := openStore(t)
		path := filepath.Join(dir, "a.jsonc")
		write(t, path, homeText)
		texts := []string{homeText}
		var ids []wal.ID
		for step := range 25 {
			if id, ok := someEdit(ctx, t, s, rnd, path, step); ok {
				ids, texts = append(ids, id), append(texts, textOf(t, path))
			}
			if n := len(ids); n > 0 && rnd.IntN(4) == 0 { // now and then back at once, and forth again
				res, err := history.Undo(ctx, s, ids[n-1])
				require.NoError(t, err)
				require.Equal(t, texts[n-1], textOf(t, path))
				_, err = history.Undo(ctx, s, res.ID)
				require.NoError(t, err)
				require.Equal(t, texts[n], textOf(t, path))
			}
		}
		for n := len(ids) - 1; n >= 0; n-- {
			_, err := history.Undo(ctx, s, ids[n])
			require.NoError(t, err)
			require.Equal(t, texts[n], textOf(t, path))
		}
		verify(t, s)
	}
}

// Several at once are one unit.
func TestUndoAll(t *testing.T) {
	ctx := context.Background()
	rnd := random(t)
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.jsonc")
	write(t, path, homeText)
	var ids []wal.ID
	for step := range 12 {
		if id, ok := someEdit(ctx, t, s, rnd, path, step); ok {
			ids = append(ids, id)
		}
	}
	atHome := textOf(t, path) == homeText // by edits that took each other back
	res, err := history.UndoAll(ctx, s, ids)
	require.NoError(t, err)
	require.Equal(t, homeText, textOf(t, path))
	require.Equal(t, atHome, res.ID.IsZero(), "what changes nothing is no transaction")
	if !atHome {
		e, err := history.Show(ctx, s, res.ID)
		require.NoError(t, err)
		require.Contains(t, e.Message, "undo")
	}
	verify(t, s)
}

// Members that were removed come back as they were, in whatever order.
func TestUndoInAnyOrderComesHome(t *testing.T) {
	ctx := context.Background()
	rnd := random(t)
	for range 6 {
		s, dir := openStore(t)
		path := filepath.Join(dir, "a.jsonc")
		write(t, path, homeText)
		var ids []wal.ID
		names := []string{"alpha", "beta", "gamma", "delta", "omega"}
		for _, n := range rnd.Perm(len(names))[:4] {
			ids = append(ids, doPatch(t, s, "a.jsonc", fmt.Sprintf(`[{"op":"remove","path":"/%s"}]`, names[n])))
		}
		for _, n := range rnd.Perm(len(ids)) {
			_, err := history.Undo(ctx, s, ids[n])
			require.NoError(t, err)
			_, err = jsonpatch.Parse([]byte(textOf(t, path)), jsonpatch.Limits{})
			require.NoError(t, err)
		}
		require.Equal(t, homeText, textOf(t, path))
		verify(t, s)
	}
}

// A layout that is taken back does not come back with a version that had it.
func TestUndoLeavesALayoutTakenBack(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	write(t, path, `{"a":1, "b":2}`)
	var ids []wal.ID
	do := func(fn func(*txn.Tx) error) {
		res, err := s.Do(ctx, []string{"a.json"}, fn)
		require.NoError(t, err)
		ids = append(ids, res.ID)
	}
	do(func(tx *txn.Tx) error { return tx.Format("a.json", jsonpatch.Format{}) })
	do(func(tx *txn.Tx) error { return tx.Set("a.json", "/a", 5) })
	do(func(tx *txn.Tx) error { return tx.Set("a.json", "/a", 1) })
	for _, step := range []struct {
		undone int
		text   string
	}{{0, `{"a":1, "b":2}`}, {2, `{"a":5, "b":2}`}, {1, `{"a":1, "b":2}`}} {
		_, err := history.Undo(ctx, s, ids[step.undone])
		require.NoError(t, err)
		require.Equal(t, step.text, textOf(t, path))
	}
	verify(t, s)
}

// Elements that were both gone come back in their order.
func TestUndoBringsElementsBackInTheirOrder(t *testing.T) {
	ctx := context.Background()
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		s, dir := openStore(t)
		path := filepath.Join(dir, "a.json")
		write(t, path, `{"l":["a","b"],"z":0}`)
		ids := []wal.ID{
			doPatch(t, s, "a.json", `[{"op":"remove","path":"/l/0"}]`),
			doPatch(t, s, "a.json", `[{"op":"remove","path":"/l/0"}]`),
		}
		for _, n := range order {
			_, err := history.Undo(ctx, s, ids[n])
			require.NoError(t, err)
		}
		require.Equal(t, `{"l":["a","b"],"z":0}`, textOf(t, path))
		verify(t, s)
	}
}

// A message is not what makes a transaction undone.
func TestUndoIsNotFoundInMessages(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	write(t, path, `{"x":1,"y":1}`)
	id := doPatch(t, s, "a.json", `[{"op":"replace","path":"/x","value":2}]`)
	_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/y", 5) }, txn.WithMessage("undo "+id.String()))
	require.NoError(t, err)
	_, err = history.Undo(ctx, s, id)
	require.NoError(t, err)
	require.Equal(t, `{"x":1,"y":5}`, read(t, path))
}

// Pairs of a change and its undoing leave what was before them to be undone.
func TestPairsCancel(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	write(t, path, `{"c":0,"z":0}`)
	first := doPatch(t, s, "a.json", `[{"op":"replace","path":"/c","value":{"in":1}}]`)
	second := doPatch(t, s, "a.json", `[{"op":"replace","path":"/c","value":2}]`)
	_, err := history.Undo(ctx, s, second)
	require.NoError(t, err)
	doPatch(t, s, "a.json", `[{"op":"replace","path":"/z","value":1}]`)
	_, err = history.Undo(ctx, s, first)
	require.NoError(t, err)
	require.Equal(t, `{"c":0,"z":1}`, read(t, path))
}
