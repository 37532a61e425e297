package history_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

func TestBlame(t *testing.T) {
	s, _ := openStore(t)
	ids := map[string]wal.ID{}
	name := map[wal.ID]string{}
	for _, step := range []struct{ name, patch string }{
		{"made", ""},
		{"a", `[{"op":"replace","path":"/a","value":{"x":1,"y":1}}]`},
		{"x", `[{"op":"replace","path":"/a/x","value":2}]`},
		{"push", `[{"op":"add","path":"/l/-","value":"p"}]`},
		{"front", `[{"op":"add","path":"/l/0","value":"f"}]`},
		{"drop", `[{"op":"remove","path":"/l/1"}]`},
		{"move", `[{"op":"move","from":"/a","path":"/b"}]`},
		{"copy", `[{"op":"copy","from":"/b","path":"/c"}]`},
		{"deep", `[{"op":"add","path":"/c/z","value":[]},{"op":"add","path":"/c/z/-","value":{}}]`},
		{"shuffle", `[{"op":"move","from":"/l/0","path":"/l/2"}]`},
		{"tested", `[{"op":"test","path":"/c/x","value":2},{"op":"add","path":"/t","value":null}]`},
	} {
		if step.patch == "" {
			res, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
				return tx.Put("a.json", []byte(`{"a":1,"l":[1,2],"k":{}}`))
			})
			require.NoError(t, err)
			ids[step.name] = res.ID
		} else {
			ids[step.name] = doPatch(t, s, "a.json", step.patch)
		}
		name[ids[step.name]] = step.name
	}
	got := map[string]string{}
	for b, err := range history.BlameAll(context.Background(), s, "a.json") {
		require.NoError(t, err)
		got[b.Pointer] = name[b.ID]
		one, err := history.Blame(context.Background(), s, "a.json", b.Pointer)
		require.NoError(t, err)
		require.Equal(t, b, one, b.Pointer)
	}
	require.Equal(t, `["2","p","f"]`, jsonOf(get(t, s, "a.json", "/l")))
	require.Equal(t, map[string]string{
		"/l/0": "made", "/l/1": "push", "/l/2": "front", "/k": "made",
		"/b/x": "x", "/b/y": "a", "/c/x": "x", "/c/y": "a", "/c/z/0": "deep", "/t": "tested",
	}, got)
	for pointer, want := range map[string]string{"": "tested", "/c": "deep", "/b": "x", "/l": "shuffle", "/k": "made"} {
		b, err := history.Blame(context.Background(), s, "a.json", pointer)
		require.NoError(t, err)
		require.Equal(t, want, name[b.ID], pointer)
	}
	_, err := history.Blame(context.Background(), s, "a.json", "/nothing")
	require.ErrorIs(t, err, txn.ErrNotFound)
}

func jsonOf(text string) string {
	out := ""
	for _, c := range text {
		if c == '2' {
			out += `"2"`
		} else if c != ' ' {
			out += string(c)
		}
	}
	return out
}
