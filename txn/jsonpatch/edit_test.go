package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edits says what an editor makes of a text, and why.
var edits = []struct{ why, before, patch, after string }{
	{"a short array like its sibling", "{\n  \"a\": [1, 2],\n  \"b\": 1\n}\n", `[{"op":"add","path":"/c","value":[3,4]}]`, "{\n  \"a\": [1, 2],\n  \"b\": 1,\n  \"c\": [3, 4]\n}\n"},
	{"a sibling in lines", "{\n  \"a\": [\n    1\n  ]\n}\n", `[{"op":"add","path":"/c","value":[3,4]}]`, "{\n  \"a\": [\n    1\n  ],\n  \"c\": [\n    3,\n    4\n  ]\n}\n"},
	{"without siblings arrays of scalars on one line, objects not", "{\n  \"a\": 1\n}\n", `[{"op":"add","path":"/c","value":{"x":[1,2],"y":{"z":1}}}]`, "{\n  \"a\": 1,\n  \"c\": {\n    \"x\": [1, 2],\n    \"y\": {\n      \"z\": 1\n    }\n  }\n}\n"},
	{"the layout of VALUE", "{\n\t\"a\": 1\n}\n", `[{"op":"add","path":"/c","value":{
  "x": [1, 2],
  "y": {
    "z": 1 }
}}]`, "{\n\t\"a\": 1,\n\t\"c\": {\n\t\t\"x\": [1, 2],\n\t\t\"y\": {\n\t\t\t\"z\": 1 }\n\t}\n}\n"},
	{"an element like the others, inside too", "{\n  \"items\": [\n    {\n      \"id\": 1,\n      \"tags\": [\"a\", \"b\"]\n    }\n  ]\n}\n", `[{"op":"add","path":"/items/-","value":{"id":2,"tags":["c"]}}]`,
		"{\n  \"items\": [\n    {\n      \"id\": 1,\n      \"tags\": [\"a\", \"b\"]\n    },\n    {\n      \"id\": 2,\n      \"tags\": [\"c\"]\n    }\n  ]\n}\n"},
	{"objects on one line", "[\n  {\"id\": 1},\n  {\"id\": 2}\n]\n", `[{"op":"add","path":"/-","value":{"id":3}}]`, "[\n  {\"id\": 1},\n  {\"id\": 2},\n  {\"id\": 3}\n]\n"},
	{"an empty document grows lines", "{}\n", `[{"op":"add","path":"/a","value":1},{"op":"add","path":"/b","value":{"c":2}}]`, "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 2\n  }\n}\n"},
	{"a document on one line stays so", `{"a": 1}`, `[{"op":"add","path":"/b","value":{"c": [1,2]}}]`, `{"a": 1, "b": {"c": [1, 2]}}`},
	{"a rename stays at its place", "{\n  // about a\n  \"a\": 1, // one\n  \"b\": 2\n}\n", `[{"op":"move","from":"/a","path":"/z"}]`, "{\n  // about a\n  \"z\": 1, // one\n  \"b\": 2\n}\n"},
	{"a move takes its comments along", "{\n  \"x\": {\n    \"k\": 0\n  },\n  // about a\n  \"a\": 1, // one\n  \"b\": 2\n}\n", `[{"op":"move","from":"/a","path":"/x/a"}]`, "{\n  \"x\": {\n    \"k\": 0,\n    // about a\n    \"a\": 1 // one\n  },\n  \"b\": 2\n}\n"},
	{"names in order", "{\n  \"a\": 1,\n  \"c\": 2,\n  \"e\": 3,\n  \"g\": 4\n}\n", `[{"op":"add","path":"/d","value":0},{"op":"add","path":"/h","value":0},{"op":"add","path":"/A","value":0}]`, "{\n  \"A\": 0,\n  \"a\": 1,\n  \"c\": 2,\n  \"d\": 0,\n  \"e\": 3,\n  \"g\": 4,\n  \"h\": 0\n}\n"},
	{"three names are no order", "{\n  \"a\": 1,\n  \"c\": 2,\n  \"e\": 3\n}\n", `[{"op":"add","path":"/d","value":0}]`, "{\n  \"a\": 1,\n  \"c\": 2,\n  \"e\": 3,\n  \"d\": 0\n}\n"},
	{"comments stay with their place in an array that is replaced", "{\n  \"p\": [\n    8000, // web\n    8001 // api\n  ]\n}\n", `[{"op":"replace","path":"/p","value":[8001,8002]}]`, "{\n  \"p\": [\n    8001, // web\n    8002 // api\n  ]\n}\n"},
	{"rows stay", "[\n  1, 2, 3,\n  4, 5, 6\n]\n", `[{"op":"replace","path":"","value":[9,8,7,6,5,4,3,2]}]`, "[\n  9, 8, 7,\n  6, 5, 4,\n  3, 2\n]\n"},
	{"a row is filled", "[\n  1, 2, 3,\n  4, 5\n]\n", `[{"op":"add","path":"/-","value":6},{"op":"add","path":"/-","value":7}]`, "[\n  1, 2, 3,\n  4, 5, 6,\n  7\n]\n"},
	{"comments stay with the element of an id", "[\n  // one\n  {\"id\": 1, \"v\": 1},\n  // two\n  {\"id\": 2, \"v\": 1}\n]\n", `[{"op":"replace","path":"","value":[{"id":2,"v":2},{"id":1,"v":2},{"id":3,"v":1}]}]`, "[\n  // two\n  {\"id\": 2, \"v\": 2},\n  // one\n  {\"id\": 1, \"v\": 2},\n  {\"id\": 3, \"v\": 1}\n]\n"},
	{"comments stay with elements that are sorted", "[\n  \"b\", // bee\n  \"a\" // ay\n]\n", `[{"op":"replace","path":"","value":["a","b"]}]`, "[\n  \"a\", // ay\n  \"b\" // bee\n]\n"},
	{"the indent is that of the place", "{\n  \"a\": {\n      \"x\": {\n          \"k\": 1\n      }\n  }\n}\n", `[{"op":"add","path":"/a/y","value":{"k":{"l":2}}}]`, "{\n  \"a\": {\n      \"x\": {\n          \"k\": 1\n      },\n      \"y\": {\n          \"k\": {\n              \"l\": 2\n          }\n      }\n  }\n}\n"},
}

func TestEdit(t *testing.T) {
	for _, c := range edits {
		t.Run(c.why, func(t *testing.T) {
			doc, err := Parse([]byte(c.before), Limits{})
			require.NoError(t, err)
			patch, err := DecodePatch([]byte(c.patch), Limits{})
			require.NoError(t, err)
			got, err := doc.Edit(patch, Style{}, Limits{})
			require.NoError(t, err)
			assert.Equal(t, c.after, string(got.Doc.Bytes()))
			plain, _, err := doc.Apply(patch, Limits{})
			require.NoError(t, err)
			assert.True(t, Equal(plain.Bytes(), got.Doc.Bytes()), "the value is that of Apply")
			by, err := ApplySplices(doc.Bytes(), got.Splices)
			require.NoError(t, err)
			assert.Equal(t, c.after, string(by))
		})
	}
}

// checkEdit edits as Apply does, and returns what came of it.
func checkEdit(t testing.TB, d *Document, p Patch) *Document {
	t.Helper()
	plain, _, plainErr := d.Apply(p, Limits{})
	got, err := d.Edit(p, Style{}, Limits{})
	require.Equal(t, plainErr == nil, err == nil, "%q %s: %v, %v", d.Bytes(), p.Encode(), plainErr, err)
	if err != nil {
		require.Equal(t, plainErr.Error(), err.Error())
		return d
	}
	after := got.Doc
	checkText(t, d, got)
	if !got.Styled {
		require.Equal(t, string(plain.Bytes()), string(after.Bytes()), "%q %s", d.Bytes(), p.Encode())
	}
	require.True(t, Equal(plain.Bytes(), after.Bytes()), "%q %s: %q", d.Bytes(), p.Encode(), after.Bytes())
	return after
}

// checkText holds a result to what all have in common: it is a document of the
// same syntax, the splices lead to it, and no comment was made up.
func checkText(t testing.TB, d *Document, got Edited) {
	t.Helper()
	after := got.Doc
	parse := Parse
	if d.Syntax() == Strict {
		parse = ParseStrict
	}
	_, err := parse(after.Bytes(), Limits{MaxDepth: maxParserDepth})
	require.NoError(t, err, "%q", after.Bytes())
	by, err := ApplySplices(d.Bytes(), got.Splices)
	require.NoError(t, err)
	require.Equal(t, string(after.Bytes()), string(by))
}

// checkRevise makes b's value of a, and a's again of that.
func checkRevise(t testing.TB, a, b *Document) {
	t.Helper()
	there, err := a.Revise(Revision{Text: Compact(b.Bytes())}, Style{}, Limits{})
	require.NoError(t, err, "%q %q", a.Bytes(), b.Bytes())
	checkText(t, a, there)
	require.True(t, Equal(there.Doc.Bytes(), b.Bytes()), "%q to %q gives %q", a.Bytes(), b.Bytes(), there.Doc.Bytes())
	same, err := a.Revise(Revision{Text: Compact(a.Bytes())}, Style{}, Limits{})
	require.NoError(t, err)
	require.Empty(t, same.Splices, "%q", a.Bytes())
	require.Equal(t, string(a.Bytes()), string(same.Doc.Bytes()))
}

func TestEditRandom(t *testing.T) {
	r := newRand(t)
	for range 3000 {
		g := randGen(r)
		d := mustParse(t, g.text(g.jsoncLayout()))
		after, p := g.edit(d, 1+g.next(6))
		checkEdit(t, d, p)
		checkRevise(t, d, after)
		checkRevise(t, after, d)
	}
}
