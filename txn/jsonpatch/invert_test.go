package jsonpatch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInvert(t *testing.T) {
	for _, c := range []struct{ name, doc, patch, want string }{
		{"nothing", `{"a":1}`, `[]`, `[]`},
		{"test", `{"a":1}`, `[{"op":"test","path":"/a","value":1}]`, `[]`},
		{"add member", `{"a":1}`, `[{"op":"add","path":"/b","value":2}]`, `[{"op":"remove","path":"/b"}]`},
		{"add over member", `{"a":[1, 2]}`, `[{"op":"add","path":"/a","value":2}]`, `[{"op":"replace","path":"/a","value":[1,2]}]`},
		{"add element", `[1]`, `[{"op":"add","path":"/0","value":2}]`, `[{"op":"remove","path":"/0"}]`},
		{"append", `[1,2]`, `[{"op":"add","path":"/-","value":3}]`, `[{"op":"remove","path":"/2"}]`},
		{"append to nothing", `[]`, `[{"op":"add","path":"/-","value":3}]`, `[{"op":"remove","path":"/0"}]`},
		{"member called -", `{}`, `[{"op":"add","path":"/-","value":3}]`, `[{"op":"remove","path":"/-"}]`},
		{"add root", `{"a":1}`, `[{"op":"add","path":"","value":2}]`, `[{"op":"replace","path":"","value":{"a":1}}]`},
		{"replace", `{"a":1.0}`, `[{"op":"replace","path":"/a","value":2}]`, `[{"op":"replace","path":"/a","value":1.0}]`},
		{"remove", `{"a":{"b":null}}`, `[{"op":"remove","path":"/a/b"}]`, `[{"op":"add","path":"/a/b","value":null}]`},
		{"move", `{"a":1,"b":{}}`, `[{"op":"move","from":"/a","path":"/b/c"}]`, `[{"op":"move","from":"/b/c","path":"/a"}]`},
		{"move over", `{"a":1,"b":2}`, `[{"op":"move","from":"/a","path":"/b"}]`,
			`[{"op":"replace","path":"/b","value":2},{"op":"add","path":"/a","value":1}]`},
		{"move to the end", `[1,2,3]`, `[{"op":"move","from":"/0","path":"/-"}]`, `[{"op":"move","from":"/2","path":"/0"}]`},
		{"move where indices shift", `[1,0,{"a":2}]`, `[{"op":"move","from":"/0","path":"/1/a"}]`,
			`[{"op":"replace","path":"/1/a","value":2},{"op":"add","path":"/0","value":1}]`},
		{"move up", `{"a":{"b":1,"c":2}}`, `[{"op":"move","from":"/a/b","path":"/a"}]`,
			`[{"op":"replace","path":"/a","value":{"c":2}},{"op":"add","path":"/a/b","value":1}]`},
		{"move out of an element", `[[1],2]`, `[{"op":"move","from":"/0/0","path":"/0"}]`,
			`[{"op":"remove","path":"/0"},{"op":"add","path":"/0/0","value":1}]`},
		{"move to the root", `{"a":1,"b":2}`, `[{"op":"move","from":"/a","path":""}]`,
			`[{"op":"replace","path":"","value":{"b":2}},{"op":"add","path":"/a","value":1}]`},
		{"move onto itself", `{"a":1}`, `[{"op":"move","from":"/a","path":"/a"}]`, `[]`},
		{"copy", `{"a":1}`, `[{"op":"copy","from":"/a","path":"/b"}]`, `[{"op":"remove","path":"/b"}]`},
		{"several", `{"a":[1]}`, `[{"op":"add","path":"/a/-","value":2},{"op":"remove","path":"/a/0"}]`,
			`[{"op":"add","path":"/a/0","value":1},{"op":"remove","path":"/a/1"}]`},
		{"comments", "{\"a\": [ 1, /* one */ 2, ], }", `[{"op":"remove","path":"/a"}]`, `[{"op":"add","path":"/a","value":[1,2]}]`},
		{"append behind comments", "[ 1, /* , */ 2, ]", `[{"op":"add","path":"/-","value":3}]`, `[{"op":"remove","path":"/2"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := checkInvert(t, mustParse(t, c.doc), mustPatch(t, c.patch))
			require.Equal(t, c.want, string(got.Encode()))
		})
	}
}

// checkInvert inverts p and checks that the inverse gives back the value, and
// the splices the very bytes.
func checkInvert(t testing.TB, d *Document, p Patch) Patch {
	t.Helper()
	after, splices, err := d.Apply(p, Limits{})
	require.NoError(t, err)
	back, err := Invert(d, p, Limits{})
	require.NoError(t, err, "%s by %s", d.Bytes(), p.Encode())
	before, _, err := after.Apply(back, Limits{})
	require.NoError(t, err, "%s by %s back by %s", d.Bytes(), p.Encode(), back.Encode())
	require.True(t, Equal(before.text(), d.text()), "%s by %s back by %s gives %s",
		d.Bytes(), p.Encode(), back.Encode(), before.Bytes())
	same, err := ApplySplices(after.Bytes(), ReverseSplices(splices))
	require.NoError(t, err)
	require.Equal(t, string(d.Bytes()), string(same))
	return back
}

func TestInvertRandom(t *testing.T) {
	r := newRand(t)
	for range 3000 {
		g := randGen(r)
		d := mustParse(t, g.text(g.jsoncLayout()))
		_, p := g.edit(d, 1+g.next(2*walkLimit))
		checkInvert(t, d, p)
	}
}

func TestInvertFailsAsApplyDoes(t *testing.T) {
	d := mustParse(t, `{"a":1}`)
	p := mustPatch(t, `[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]`)
	_, _, want := d.Apply(p, Limits{})
	_, err := Invert(d, p, Limits{})
	require.ErrorIs(t, err, ErrNotFound)
	require.Equal(t, want, err)
}

// A long patch must not be walked.
func TestInvertLong(t *testing.T) {
	d := mustParse(t, numbers(20000, same))
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,{"op":"replace","path":"/%d","value":-1}`, i*4)
	}
	checkInvert(t, d, mustPatch(t, "["+b.String()[1:]+"]"))
}
