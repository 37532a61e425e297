package jsonpatch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Documents that differ in one place are compared there: no more of them is looked at.
func TestInnermost(t *testing.T) {
	for _, c := range []struct{ a, b, path, inA, inB string }{
		{`{"a":[{"b":1},{"b":2}]}`, `{"a":[{"b":1},{"b":3}]}`, "/a/1", `{"b":2}`, `{"b":3}`},
		{`{"a":[{"b":1},{"b":2}]}`, `{"a":[{"b":2}]}`, "/a", `[{"b":1},{"b":2}]`, `[{"b":2}]`},
		{`{"a":{"b":12}}`, `{"a":{"b":1}}`, "/a", `{"b":12}`, `{"b":1}`},
		{`{"a":{"b":1},"c":2}`, `{"a":{"b":2},"c":3}`, "", `{"a":{"b":1},"c":2}`, `{"a":{"b":2},"c":3}`},
		{`[[],[]]`, `[[]]`, "", `[[],[]]`, `[[]]`},
		{`{"a":{}}`, `{"a":{"x":{}}}`, "/a", `{}`, `{"x":{}}`},
		{`{"a/b":{"x":1}}`, `{"a/b":[1]}`, "", `{"a/b":{"x":1}}`, `{"a/b":[1]}`},
		{`1`, `{}`, "", `1`, `{}`},
	} {
		p, inA, inB := innermost([]byte(c.a), []byte(c.b))
		require.Equal(t, []string{c.path, c.inA, c.inB}, []string{p.String(), string(inA), string(inB)}, c.a)
	}
	deep := strings.Repeat(`[`, 900) + "%" + strings.Repeat(`]`, 900)
	patch, err := Diff(mustParse(t, strings.ReplaceAll(deep, "%", "1")), mustParse(t, strings.ReplaceAll(deep, "%", "2")))
	require.NoError(t, err)
	require.Len(t, patch, 1)
}

// So many new containers that looking at their siblings anew for each would make this
// take minutes, and be noticed without a clock.
func TestManyEditsOnOneContainer(t *testing.T) {
	text := "[\n" + strings.Repeat("  {\"n\": 1},\n", boundSize) + "  {\"n\": 2}\n]\n"
	p := make(Patch, boundSize)
	for i := range p {
		p[i] = Operation{Op: "add", Path: Pointer{index(2 * i)}, Value: []byte(`{"n":3}`)}
	}
	e, err := mustParse(t, text).Edit(p, Style{}, Limits{})
	require.NoError(t, err)
	require.Equal(t, boundSize, strings.Count(string(e.Doc.Bytes()), "\n  {\"n\": 3},"))
}
