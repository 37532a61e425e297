package jsonpatch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodePatch(t *testing.T) {
	const text = `[
		{"op": "add", "path": "/a~1b", "value": {"x": 1.0, "y": [1e400, 1e999999999999]}, "comment": "ignored"},
		{"path": "", "value": null, "op": "replace"},
		{"op": "\u0074est", "path": "/\u00e9", "value": "<&>"},
		{"op": "remove", "path": "/0", "value": 1, "from": 3},
		{"op": "move", "path": "/a", "from": "/b"},
		{"op": "copy", "path": "/a/-", "from": ""}
	]`
	p, err := DecodePatch([]byte(text), Limits{})
	require.NoError(t, err)
	require.Equal(t, Patch{
		{Op: "add", Path: Pointer{"a/b"}, Value: []byte(`{"x": 1.0, "y": [1e400, 1e999999999999]}`)},
		{Op: "replace", Value: []byte("null")},
		{Op: "test", Path: Pointer{"é"}, Value: []byte(`"<&>"`)},
		{Op: "remove", Path: Pointer{"0"}},
		{Op: "move", Path: Pointer{"a"}, From: Pointer{"b"}},
		{Op: "copy", Path: Pointer{"a", "-"}},
	}, p)
	require.Equal(t, `[{"op":"add","path":"/a~1b","value":{"x": 1.0, "y": [1e400, 1e999999999999]}},{"op":"replace","path":"","value":null},`+
		`{"op":"test","path":"/é","value":"<&>"},{"op":"remove","path":"/0"},`+
		`{"op":"move","from":"/b","path":"/a"},{"op":"copy","from":"","path":"/a/-"}]`, string(p.Encode()))
	require.Equal(t, "[]", string(Patch(nil).Encode()))
}

func TestDecodePatchRefuses(t *testing.T) {
	for _, c := range []struct {
		text  string
		kind  error
		index int
		msg   string
	}{
		{`[{"op":"add","path":"/a","value":1},{"op":"frob","path":""}]`, ErrPatch, 1, `unknown operation "frob"`},
		{`[{"op":"Add","path":"","value":1}]`, ErrPatch, 0, "unknown"},
		{`[{"path":"","value":1}]`, ErrPatch, 0, `"op" is missing`},
		{`[{"op":1,"path":""}]`, ErrPatch, 0, `"op" is a number`},
		{`[{"op":null,"path":""}]`, ErrPatch, 0, `"op" is null`},
		{`[{"op":"remove"}]`, ErrPatch, 0, `"path" is missing`},
		{`[{"op":"remove","path":null}]`, ErrPatch, 0, `"path" is null`},
		{`[{"op":"remove","path":["a"]}]`, ErrPatch, 0, `"path" is an array`},
		{`[{"op":"remove","path":"a"}]`, ErrPointer, 0, "pointer"},
		{`[{"op":"remove","path":"/~2"}]`, ErrPatch, 0, "pointer"},
		{`[{"op":"add","path":""}]`, ErrPatch, 0, `"value" is missing`},
		{`[{"op":"move","path":""}]`, ErrPatch, 0, `"from" is missing`},
		{`[{"op":"copy","path":"","from":"x"}]`, ErrPointer, 0, "pointer"},
		{`[null]`, ErrPatch, 0, "null"},
		{`[{"op":"remove","path":""},1]`, ErrPatch, 1, "a number, expected an object"},
		{`{"op":"remove","path":""}`, ErrPatch, -1, "an object"},
		{`[{"op":"remove","op":"add","path":"","value":1}]`, ErrInvalid, -1, "duplicate"},
		{`[{"op":"add","path":"/a","value":{"x":1,"\u0078":2}}]`, ErrInvalid, -1, "duplicate"},
		{`[] x`, ErrInvalid, -1, "expected the end"},
		{`[ // no
]`, ErrInvalid, -1, "character '/'"},
		{``, ErrInvalid, -1, "unexpected end"},
	} {
		_, err := DecodePatch([]byte(c.text), Limits{})
		require.ErrorIs(t, err, c.kind, c.text)
		require.ErrorContains(t, err, c.msg)
		if c.index >= 0 {
			var typed *OpError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, c.index, typed.Index)
		}
	}
}

func TestDecodePatchLimits(t *testing.T) {
	op := `{"op":"remove","path":""}`
	_, err := DecodePatch([]byte("["+op+","+op+"]"), Limits{MaxOps: 1})
	require.ErrorIs(t, err, ErrLimit)
	_, err = DecodePatch([]byte("["+op+","+op+"]"), Limits{MaxPatchBytes: 20})
	require.ErrorIs(t, err, ErrLimit)
	value := func(n int) []byte {
		return []byte(`[{"op":"add","path":"","value":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}]`)
	}
	_, err = DecodePatch(value(1000), Limits{})
	require.NoError(t, err)
	_, err = DecodePatch(value(1001), Limits{})
	require.ErrorIs(t, err, ErrLimit)
}
