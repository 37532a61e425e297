package jsonpatch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An edit beside a repeated name is like any other; one that would have to say which of
// them it means is refused.
func TestRepeatedNames(t *testing.T) {
	const text = "{\n  \"a\": 1,\n  \"in\": {\"x\": 1, \"x\": 2, \"y\": [0]},\n  \"\\u0061\": 2, // second\n  \"b\": 3\n}\n"
	doc, err := Parse([]byte(text), Limits{})
	require.NoError(t, err)
	require.Equal(t, JSONC, doc.Syntax())
	var repeated *SyntaxError
	require.ErrorAs(t, doc.Repeated(), &repeated)
	require.Equal(t, "/in/x", repeated.Pointer)
	require.Equal(t, 3, repeated.Line)

	for _, c := range []struct{ patch, old, new string }{
		{`[{"op":"replace","path":"/b","value":4}]`, `"b": 3`, `"b": 4`},
		{`[{"op":"remove","path":"/b"}]`, ", // second\n  \"b\": 3", " // second"},
		{`[{"op":"add","path":"/c","value":null}]`, `"b": 3`, "\"b\": 3,\n  \"c\": null"},
		{`[{"op":"add","path":"/in/y/-","value":1}]`, "[0]", "[0, 1]"},
		{`[{"op":"copy","from":"/in","path":"/b"}]`, `"b": 3`, `"b": {"x": 1, "x": 2, "y": [0]}`},
		{`[{"op":"test","path":"/in","value":{"x":1,"x":2,"y":[0]}}]`, "", ""},
		{`[{"op":"replace","path":"/in","value":{"x":1}}]`, `{"x": 1, "x": 2, "y": [0]}`, `{"x": 1}`},
	} {
		lim := Limits{Loose: true}
		patch, err := DecodePatch([]byte(c.patch), lim)
		require.NoError(t, err)
		want := text
		if c.old != "" {
			want = replaceOnce(t, text, c.old, c.new)
		}
		for _, d := range []*Document{doc, Trusted([]byte(text), JSONC)} {
			next, _, err := d.Apply(patch, lim)
			require.NoError(t, err, c.patch)
			require.Equal(t, want, string(next.Bytes()), c.patch)
			edited, err := d.Edit(patch, Style{}, lim)
			require.NoError(t, err, c.patch)
			require.Equal(t, want, string(edited.Doc.Bytes()), c.patch)
		}
	}
	for _, bad := range []string{
		`[{"op":"replace","path":"/a","value":4}]`, `[{"op":"add","path":"/a","value":4}]`, `[{"op":"remove","path":"/in/x"}]`,
		`[{"op":"move","from":"/a","path":"/c"}]`, `[{"op":"move","from":"/b","path":"/a"}]`, `[{"op":"test","path":"/in/x","value":2}]`,
	} {
		patch, err := DecodePatch([]byte(bad), Limits{})
		require.NoError(t, err)
		_, _, err = doc.Apply(patch, Limits{})
		require.ErrorIs(t, err, ErrRepeated, bad)
		_, err = doc.Edit(patch, Style{}, Limits{})
		require.ErrorIs(t, err, ErrInvalid, bad)
	}
	_, err = doc.Get(Pointer{"in", "x"})
	require.ErrorIs(t, err, ErrInvalid)
	got, err := doc.Get(Pointer{"in"})
	require.NoError(t, err)
	require.Equal(t, `{"x": 1, "x": 2, "y": [0]}`, string(got))
}

// A whole new value speaks of the last member of a name; the earlier ones stay.
func TestReviseBesideRepeatedNames(t *testing.T) {
	doc, err := Parse([]byte(`{"a": 1, "a": 2, "b": {"c": 3, "c": 4}, "d": 5}`), Limits{})
	require.NoError(t, err)
	for _, c := range []struct{ value, want string }{
		{`{"a":2,"b":{"c":4},"d":6}`, `{"a": 1, "a": 2, "b": {"c": 3, "c": 4}, "d": 6}`},
		{`{"a":2,"b":{"c":4,"e":0},"d":5}`, `{"a": 1, "a": 2, "b": {"c": 3, "c": 4, "e": 0}, "d": 5}`},
		{`{"a":1,"a":2,"b":{"c":3,"c":4},"d":6}`, `{"a": 1, "a": 2, "b": {"c": 3, "c": 4}, "d": 6}`},
		{`{"a":2,"b":7,"d":5}`, `{"a": 1, "a": 2, "b": 7, "d": 5}`},
		{`{"a":3,"b":{"c":4},"d":5}`, ""},
		{`{"b":{"c":4},"d":5}`, ""},
		{`{"z":2,"b":{"c":4},"d":5}`, ""},
	} {
		edited, err := doc.Revise(Revision{Text: []byte(c.value)}, Style{}, Limits{})
		if c.want == "" {
			require.ErrorIs(t, err, ErrInvalid, c.value)
			continue
		}
		require.NoError(t, err, c.value)
		require.Equal(t, c.want, string(edited.Doc.Bytes()))
		patch, err := Diff(doc, edited.Doc)
		require.NoError(t, err)
		require.Len(t, patch, 1)
	}
	strict, err := Parse([]byte(`{"a":1}`), Limits{})
	require.NoError(t, err)
	_, err = strict.Revise(Revision{Text: []byte(`{"a":1,"a":2}`)}, Style{}, Limits{})
	require.ErrorIs(t, err, ErrInvalid)
}

// What another program did to repeated names is a difference, and no pointer of it leads
// through one.
func TestDiffOfRepeatedNames(t *testing.T) {
	texts := []string{
		`{"a":1,"b":2}`, `{"a":1,"a":1,"b":2}`, `{"a":1,"a":2,"b":2}`, `{"a":2,"a":1,"b":2}`, `{"b":2,"a":1,"a":2}`, `{"a":1,"a":2,"b":3}`,
		`{"a":1,"a":2,"a":3}`, `{"o":{"a":1,"a":2},"p":1}`, `{"o":{"a":1,"a":3},"p":1}`, `{"o":{"a":1},"p":1}`, `[{"a":1,"a":2}]`, `[{"a":1},{"a":1,"a":2}]`,
	}
	for _, x := range texts {
		for _, y := range texts {
			a, err := Parse([]byte(x), Limits{})
			require.NoError(t, err)
			b, err := Parse([]byte(y), Limits{})
			require.NoError(t, err)
			patch, err := Diff(a, b)
			require.NoError(t, err)
			require.Equal(t, a.SameValue(b), len(patch) == 0, "%s and %s", x, y)
			patch, err = DecodePatch(patch.Encode(), Limits{Loose: true})
			require.NoError(t, err)
			next, _, err := a.Apply(patch, Limits{Loose: true})
			require.NoError(t, err, "%s to %s by %s", x, y, patch.Encode())
			require.True(t, next.SameValue(b), "%s to %s by %s gives %s", x, y, patch.Encode(), next.Bytes())
		}
	}
}

// Half of a surrogate pair is kept as it is, told from any other, and can be replaced.
func TestLoneSurrogates(t *testing.T) {
	const text = `{"s": "a\ud83dz", "\uDE00": {"k": "\\ud83d"}, "pair": "\ud83d\ude00", "n": 1}`
	doc, err := ParseStrict([]byte(text), Limits{})
	require.NoError(t, err)
	for _, c := range []struct{ patch, old, new string }{
		{`[{"op":"replace","path":"/n","value":2}]`, `"n": 1`, `"n": 2`},
		{`[{"op":"replace","path":"/s","value":"whole"}]`, `"a\ud83dz"`, `"whole"`},
		{`[{"op":"replace","path":"/\ude00/k","value":"\ud800"}]`, `"\\ud83d"`, `"\ud800"`},
		{`[{"op":"add","path":"/\ude01","value":0}]`, `"n": 1`, `"n": 1, "\ude01": 0`},
		{`[{"op":"move","from":"/\ude00","path":"/x\ude00"}]`, `"\uDE00"`, `"x\ude00"`},
		{`[{"op":"test","path":"/s","value":"\u0061\uD83Dz"},{"op":"test","path":"/pair","value":"😀"}]`, "", ""},
	} {
		patch, err := DecodePatch([]byte(c.patch), Limits{})
		require.NoError(t, err)
		again, err := DecodePatch(patch.Encode(), Limits{})
		require.NoError(t, err)
		require.Equal(t, patch, again)
		want := text
		if c.old != "" {
			want = replaceOnce(t, text, c.old, c.new)
		}
		edited, err := doc.Edit(patch, Style{}, Limits{})
		require.NoError(t, err, c.patch)
		require.Equal(t, want, string(edited.Doc.Bytes()))
		back, err := Diff(edited.Doc, doc)
		require.NoError(t, err)
		home, _, err := edited.Doc.Apply(back, Limits{})
		require.NoError(t, err)
		require.True(t, home.SameValue(doc), "%s", home.Bytes())
	}
	for _, other := range []string{`"a\ud83ez"`, `"a\ufffdz"`, `"az"`, `"a\udc3dz"`} {
		patch, err := DecodePatch([]byte(`[{"op":"test","path":"/s","value":`+other+`}]`), Limits{})
		require.NoError(t, err)
		_, _, err = doc.Apply(patch, Limits{})
		require.ErrorIs(t, err, ErrTest, other)
	}
	for quoted, printed := range map[string]string{`"\ud83d"`: "\ufffd", `"a\udfff\ud800b"`: "a\ufffd\ufffdb", `"\ud83d\ude00\ude00"`: "😀\ufffd", `"\n\ud800\/\""`: "\n\ufffd/\""} {
		s := Unquote([]byte(quoted))
		require.Equal(t, printed, Printable(s))
		require.Equal(t, s, Unquote(AppendQuoted(nil, s)))
		require.True(t, Equal([]byte(quoted), AppendQuoted(nil, s)))
	}
	_, err = ParseStrict([]byte("\"\xed\xa0\x80\""), Limits{}) // what WTF-8 has for it is no UTF-8
	require.ErrorIs(t, err, ErrInvalid)
}

func replaceOnce(t *testing.T, text, old, by string) string {
	before, after, ok := strings.Cut(text, old)
	require.True(t, ok, old)
	return before + by + after
}
