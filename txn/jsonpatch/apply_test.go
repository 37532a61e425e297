package jsonpatch

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An operation that fails changes nothing and says which one it was.
func TestApplyErrors(t *testing.T) {
	const before = `{"e": [], "a": [1, {"b": null}], "s": "x", "": {"": 1}, "1": 2}`
	for _, c := range []struct {
		op, pointer string
		kind        error
		msg         string
	}{
		{`{"op":"add","path":"/x/y","value":1}`, "/x/y", ErrNotFound, `at "": no member "x"`},
		{`{"op":"add","path":"/s/y","value":1}`, "/s/y", ErrNotFound, `at "/s": a string has no members`},
		{`{"op":"add","path":"/a/3","value":1}`, "/a/3", ErrNotFound, "index 3 is not in the array of 2"},
		{`{"op":"add","path":"/a/01","value":1}`, "/a/01", ErrNotFound, `"01" is not an array index`},
		{`{"op":"add","path":"/a/-1","value":1}`, "/a/-1", ErrNotFound, "not an array index"},
		{`{"op":"add","path":"/a/x","value":1}`, "/a/x", ErrNotFound, "not an array index"},
		{`{"op":"add","path":"/a/-/x","value":1}`, "/a/-/x", ErrNotFound, "not an array index"},
		{`{"op":"replace","path":"/x","value":1}`, "/x", ErrNotFound, "no member"},
		{`{"op":"replace","path":"/a/2","value":1}`, "/a/2", ErrNotFound, "index 2"},
		{`{"op":"replace","path":"/e/0","value":1}`, "/e/0", ErrNotFound, "index 0 is not in the array of 0"},
		{`{"op":"replace","path":"/a/-","value":1}`, "/a/-", ErrNotFound, "not an array index"},
		{`{"op":"replace","path":"/a/1/c","value":1}`, "/a/1/c", ErrNotFound, "no member"},
		{`{"op":"remove","path":"/a/-"}`, "/a/-", ErrNotFound, "not an array index"},
		{`{"op":"remove","path":"/a/1/b/c"}`, "/a/1/b/c", ErrNotFound, "null has no members"},
		{`{"op":"remove","path":""}`, "", ErrPatch, "root"},
		{`{"op":"move","from":"/x","path":"/y"}`, "/x", ErrNotFound, "no member"},
		{`{"op":"move","from":"/a","path":"/a/0"}`, "/a/0", ErrPatch, "into itself"},
		{`{"op":"move","from":"","path":"/a"}`, "/a", ErrPatch, "into itself"},
		{`{"op":"move","from":"/","path":"//x"}`, "//x", ErrPatch, "into itself"},
		{`{"op":"move","from":"/x","path":"/x"}`, "/x", ErrNotFound, "no member"},
		{`{"op":"move","from":"/a/0","path":"/a/2"}`, "/a/2", ErrNotFound, "index 2 is not in the array of 1"},
		{`{"op":"copy","from":"/a/2","path":"/y"}`, "/a/2", ErrNotFound, "index 2"},
		{`{"op":"copy","from":"/a","path":"/s/y"}`, "/s/y", ErrNotFound, "string"},
		{`{"op":"test","path":"/x","value":null}`, "/x", ErrNotFound, "no member"},
		{`{"op":"test","path":"/s","value":"y"}`, "/s", ErrTest, `found "x", expected "y"`},
		{`{"op":"test","path":"/a/1","value":{}}`, "/a/1", ErrTest, `found {"b":null}, expected {}`},
		{`{"op":"test","path":"","value":null}`, "", ErrTest, "expected null"},
	} {
		p, err := DecodePatch([]byte(`[{"op":"add","path":"/new","value":1},`+c.op+`,{"op":"remove","path":"/s"}]`), Limits{})
		require.NoError(t, err)
		d, err := Parse([]byte(before), Limits{})
		require.NoError(t, err)
		after, list, err := d.Apply(p, Limits{})
		require.Nil(t, after)
		require.Nil(t, list)
		checkAppended(t, d, p, nil, err)
		require.ErrorIs(t, err, c.kind, c.op)
		require.ErrorContains(t, err, c.msg)
		var typed *OpError
		require.ErrorAs(t, err, &typed)
		require.Equal(t, 1, typed.Index)
		require.Equal(t, p[1].Op, typed.Op)
		require.Equal(t, c.pointer, typed.Pointer)
		require.Equal(t, before, string(d.Bytes()))
		// An operation of its own may take another way to the same answer.
		_, _, err = d.Apply(p[1:2], Limits{})
		require.ErrorIs(t, err, c.kind, c.op)
		require.ErrorContains(t, err, c.msg)
	}
}

// Patches that were put together by a program are checked like decoded ones.
func TestApplyChecksOperations(t *testing.T) {
	d := Trusted([]byte("{}"), Strict)
	for _, c := range []struct {
		op   Operation
		kind error
	}{
		{Operation{}, ErrPatch},
		{Operation{Op: "frob"}, ErrPatch},
		{Operation{Op: "add", Path: Pointer{"a"}}, ErrPatch},
		{Operation{Op: "add", Path: Pointer{"a"}, Value: []byte("")}, ErrInvalid},
		{Operation{Op: "add", Path: Pointer{"a"}, Value: []byte("1 2")}, ErrInvalid},
		{Operation{Op: "add", Path: Pointer{"a"}, Value: []byte(`{"a":1,"a":2}`)}, ErrInvalid},
		{Operation{Op: "add", Path: Pointer{"a"}, Value: []byte("1 // x")}, ErrInvalid},
		{Operation{Op: "test", Value: []byte("[")}, ErrInvalid},
		{Operation{Op: "add", Path: Pointer{"a\xff"}, Value: []byte("1")}, ErrPointer},
	} {
		_, _, err := d.Apply(Patch{c.op}, Limits{})
		require.ErrorIs(t, err, c.kind, "%+v", c.op)
	}
	after, _, err := d.Apply(Patch{{Op: "add", Path: Pointer{"a"}, Value: []byte(" 1\n")}}, Limits{})
	require.NoError(t, err)
	require.Equal(t, `{"a": 1}`, string(after.Bytes()))
}

func TestApplyResults(t *testing.T) {
	for _, c := range []struct{ patch, before, after string }{
		{`[]`, `{"a":1}`, `{"a":1}`},
		{`[{"op":"move","from":"/a","path":"/a"}]`, `{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{`[{"op":"move","from":"","path":""}]`, `[1]`, `[1]`},
		{`[{"op":"move","from":"/a/b","path":""}]`, "\n{\"a\":{\"b\":[1]}}\n", "\n[1]\n"},
		{`[{"op":"move","from":"/a/b","path":"/a"}]`, `{"a":{"b":[1]}}`, `{"a":[1]}`},
		{`[{"op":"move","from":"/0","path":"/-"}]`, `[1, 2, 3]`, `[2, 3, 1]`},
		{`[{"op":"move","from":"/0","path":"/2"}]`, `[1, 2, 3]`, `[2, 3, 1]`},
		{`[{"op":"move","from":"/2","path":"/0"}]`, `[1, 2, 3]`, `[3, 1, 2]`},
		{`[{"op":"move","from":"/a","path":"/b"}]`, `{"a":1,"b":2}`, `{"b":1}`},
		{`[{"op":"copy","from":"","path":"/a"}]`, `{"a":1}`, `{"a":{"a":1}}`},
		{`[{"op":"copy","from":"","path":"/a/b"}]`, `{"a":{}}`, `{"a":{"b":{"a":{}}}}`},
		{`[{"op":"move","from":"/","path":"//x"},{"op":"copy","from":"/","path":"/"}]`, `{"":{},"x":0}`, ``},
		{`[{"op":"copy","from":"/","path":"/"}]`, `{"":{}}`, `{"":{}}`},
		{`[{"op":"add","path":"//","value":1}]`, `{"":{}}`, `{"":{"":1}}`},
		{`[{"op":"add","path":"/-","value":1}]`, `{"a":1}`, `{"a":1,"-":1}`},
		{`[{"op":"add","path":"/01","value":1}]`, `{"a":1}`, `{"a":1,"01":1}`},
		{`[{"op":"replace","path":"/a","value":2}]`, `{"\u0061":1}`, `{"\u0061":2}`},
		{`[{"op":"add","path":"/a","value":2}]`, `{"\u0061":1}`, `{"\u0061":2}`},
		{`[{"op":"remove","path":"/\ud83d\ude00"}]`, `{"\ud83d\ude00":1}`, `{}`},
		{`[{"op":"test","path":"/a","value":1e0},{"op":"test","path":"","value":{"b":[2],"\u0061":1.0}}]`, `{"a":1,"b":[2.0]}`, `{"a":1,"b":[2.0]}`},
		{`[{"op":"test","path":"","value":null}]`, `null`, `null`},
		{`[{"op":"test","path":"/0","value":null}]`, `[null]`, `[null]`},
		{`[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":[]},{"op":"add","path":"/a/b/-","value":1},{"op":"move","from":"/a/b/0","path":"/c"}]`, `{"x":1}`, `{"x":1,"a":{"b":[]},"c":1}`},
		{`[{"op":"replace","path":"/a","value":"\u00e9\/"}]`, `{"a": 1.0}`, `{"a": "\u00e9\/"}`},
	} {
		if c.after == "" {
			p, err := DecodePatch([]byte(c.patch), Limits{})
			require.NoError(t, err)
			_, _, err = Trusted([]byte(c.before), Strict).Apply(p, Limits{})
			require.ErrorIs(t, err, ErrPatch)
			continue
		}
		require.Equal(t, c.after, applied(t, c.before, c.patch), c.patch)
	}
}

func TestApplyLimits(t *testing.T) {
	op := Operation{Op: "copy", Path: Pointer{"-"}}
	var double Patch
	for range 40 {
		double = append(double, op)
	}
	for _, c := range []struct {
		before string
		p      Patch
		lim    Limits
	}{
		{"[1]", double, Limits{}},
		{"[1]", double[:3], Limits{MaxCopyBytes: 10}},
		{"[1]", double, Limits{MaxOps: 39}},
		{"[1]", double[:1], Limits{MaxBytes: 5}},
		{"[1]", double[:3], Limits{MaxDepth: 3}},
		{"[[]]", Patch{{Op: "add", Path: Pointer{"0", "0"}, Value: []byte("[]")}}, Limits{MaxDepth: 2}},
		{"[[]]", Patch{{Op: "move", Path: Pointer{"1", "0"}, From: Pointer{"0"}}}, Limits{MaxDepth: 1}},
		{"[1]", Patch{{Op: "replace", Path: Pointer{"0"}, Value: []byte("12345")}}, Limits{MaxBytes: 6}},
	} {
		_, _, err := Trusted([]byte(c.before), Strict).Apply(c.p, c.lim)
		_, appendErr := Trusted([]byte(c.before), Strict).AppendApply(nil, c.p, c.lim)
		require.Equal(t, err, appendErr)
		require.ErrorIs(t, err, ErrLimit, "%s %s", c.before, c.p.Encode())
	}
	deep := strings.Repeat("[", 999) + strings.Repeat("]", 999)
	p := Patch{{Op: "add", Path: Pointer{"a"}, Value: []byte(deep)}}
	after, _, err := Trusted([]byte("{}"), Strict).Apply(p, Limits{})
	require.NoError(t, err)
	_, err = Parse(after.Bytes(), Limits{})
	require.NoError(t, err)
	p[0].Path = Pointer{"b", "a"}
	_, _, err = Trusted([]byte(`{"b":{}}`), Strict).Apply(p, Limits{})
	require.ErrorIs(t, err, ErrLimit)
}

func TestSplicesAreChecked(t *testing.T) {
	list := []Splice{{1, []byte("b"), []byte("xyz")}, {3, nil, []byte("!")}, {4, []byte("e"), nil}}
	after, err := ApplySplices([]byte("abcde"), list)
	require.NoError(t, err)
	require.Equal(t, "axyzc!d", string(after))
	back, err := ApplySplices(after, reversed(list))
	require.NoError(t, err)
	require.Equal(t, "abcde", string(back))
	for _, wrong := range [][]Splice{
		{{1, []byte("c"), nil}}, {{4, []byte("ef"), nil}}, {{6, nil, nil}}, {{-1, nil, nil}},
		{{1, []byte("bc"), nil}, {2, []byte("c"), nil}}, {{math.MaxInt, []byte("c"), nil}},
	} {
		_, err := ApplySplices([]byte("abcde"), wrong)
		require.ErrorIs(t, err, ErrNotFound)
	}
}
