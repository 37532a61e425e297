package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMergePatch(t *testing.T) {
	for _, c := range []struct{ name, doc, merge, patch, after string }{
		{"replace", `{"a":"b"}`, `{"a":"c"}`, `[{"op":"replace","path":"/a","value":"c"}]`, `{"a":"c"}`},
		{"add in the patch's order", `{"a":1}`, `{"z":1,"b":2,"a":3}`,
			`[{"op":"add","path":"/z","value":1},{"op":"add","path":"/b","value":2},{"op":"replace","path":"/a","value":3}]`, `{"a":3,"z":1,"b":2}`},
		{"remove", `{"a":1,"b":2}`, `{"a":null,"c":null}`, `[{"op":"remove","path":"/a"}]`, `{"b":2}`},
		{"nothing to do", `{"a":1,"b":{"c":[1]}}`, `{"a":1.0,"b":{"c":[1]}}`, `[]`, `{"a":1,"b":{"c":[1]}}`},
		{"deeper", `{"a":{"b":{"c":1,"d":2}}}`, `{"a":{"b":{"c":null,"e":3}}}`,
			`[{"op":"remove","path":"/a/b/c"},{"op":"add","path":"/a/b/e","value":3}]`, `{"a":{"b":{"d":2,"e":3}}}`},
		{"nulls in what is new", `{}`, `{"a":{"b":null,"c":{"d":null,"e":[null,{"f":null}]}}}`,
			`[{"op":"add","path":"/a","value":{"c":{"e":[null,{"f":null}]}}}]`, `{"a": {"c": {"e": [null, {"f": null}]}}}`},
		{"object over scalar", `{"a":1}`, `{"a":{"b":null,"c":1}}`, `[{"op":"replace","path":"/a","value":{"c":1}}]`, `{"a":{"c":1}}`},
		{"scalar over object", `{"a":{"b":1}}`, `{"a":[1]}`, `[{"op":"replace","path":"/a","value":[1]}]`, `{"a":[1]}`},
		{"empty object over nothing", `{}`, `{"a":{}}`, `[{"op":"add","path":"/a","value":{}}]`, `{"a": {}}`},
		{"empty object over object", `{"a":{"b":1}}`, `{"a":{}}`, `[]`, `{"a":{"b":1}}`},
		{"null in the document", `{"a":null}`, `{"b":1}`, `[{"op":"add","path":"/b","value":1}]`, `{"a":null,"b":1}`},
		{"null over null", `{"a":null}`, `{"a":null}`, `[{"op":"remove","path":"/a"}]`, `{}`},
		{"root scalar", `{"a":1}`, `null`, `[{"op":"replace","path":"","value":null}]`, `null`},
		{"root array", `[1]`, `{"a":1,"b":null}`, `[{"op":"replace","path":"","value":{"a":1}}]`, `{"a":1}`},
		{"root array is the same", `[1,2]`, `[1, 2.0]`, `[]`, `[1,2]`},
		{"escaped names", `{"a\/b":{"\u006d~":1}}`, `{"a/b":{"m~":2}}`, `[{"op":"replace","path":"/a~1b/m~0","value":2}]`, `{"a\/b":{"\u006d~":2}}`},
		{"comments", "{ // x\n  \"a\": {\"b\": 1,},\n}", `{"a":{"b":2}}`, `[{"op":"replace","path":"/a/b","value":2}]`, "{ // x\n  \"a\": {\"b\": 2,},\n}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Parse([]byte(c.doc), Limits{})
			require.NoError(t, err)
			p, err := d.MergePatch([]byte(c.merge), Limits{})
			require.NoError(t, err)
			require.Equal(t, c.patch, string(p.Encode()))
			require.Equal(t, c.after, applied(t, c.doc, string(p.Encode())))
		})
	}
	d := Trusted([]byte("{}"), Strict)
	_, err := d.MergePatch([]byte(`{"a":1,"a":2}`), Limits{})
	require.ErrorIs(t, err, ErrInvalid)
	_, err = d.MergePatch([]byte(`{"a":{"b":{}}}`), Limits{MaxDepth: 2})
	require.ErrorIs(t, err, ErrLimit)
	_, err = d.MergePatch([]byte(`{"a":1,"b":2}`), Limits{MaxOps: 1})
	require.ErrorIs(t, err, ErrLimit)
}
