package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClash(t *testing.T) {
	const text = `{"a":{"x":1,"y":{"z":2}},"list":[1,[2,3],{"k":4}],"b":5}`
	for _, c := range []struct {
		name, ours, theirs string
		at                 string
		clash              bool
	}{
		{"nothing", `[]`, `[{"op":"remove","path":"/a"}]`, "", false},
		{"other members", `[{"op":"replace","path":"/a/x","value":9}]`, `[{"op":"replace","path":"/b","value":9}]`, "", false},
		{"other members of one object", `[{"op":"add","path":"/a/new","value":9}]`, `[{"op":"remove","path":"/a/x"}]`, "", false},
		{"the same value", `[{"op":"replace","path":"/b","value":9}]`, `[{"op":"replace","path":"/b","value":9}]`, "/b", true},
		{"a new member of both", `[{"op":"add","path":"/new","value":1}]`, `[{"op":"add","path":"/new","value":2}]`, "/new", true},
		{"in it", `[{"op":"replace","path":"/a/y/z","value":9}]`, `[{"op":"remove","path":"/a/y"}]`, "/a/y/z", true},
		{"around it", `[{"op":"remove","path":"/a"}]`, `[{"op":"replace","path":"/a/y/z","value":9}]`, "/a", true},
		{"the whole", `[{"op":"replace","path":"","value":{}}]`, `[{"op":"replace","path":"/b","value":9}]`, "", true},
		{"other elements", `[{"op":"replace","path":"/list/0","value":9}]`, `[{"op":"replace","path":"/list/2/k","value":9}]`, "", false},
		{"elements behind are shifted", `[{"op":"replace","path":"/list/2/k","value":9}]`, `[{"op":"remove","path":"/list/0"}]`, "/list/2/k", true},
		{"so they are by appending", `[{"op":"add","path":"/list/-","value":9}]`, `[{"op":"replace","path":"/list/0","value":9}]`, "/list", true},
		{"but those around are not", `[{"op":"add","path":"/list/1/0","value":9}]`, `[{"op":"replace","path":"/list/0","value":9}]`, "", false},
		{"moved away", `[{"op":"replace","path":"/a/x","value":9}]`, `[{"op":"move","from":"/a","path":"/c"}]`, "/a/x", true},
		{"moved out of a list", `[{"op":"replace","path":"/list/0","value":9}]`, `[{"op":"move","from":"/list/2","path":"/c"}]`, "/list/0", true},
		{"copied", `[{"op":"copy","from":"/a/y","path":"/c"}]`, `[{"op":"replace","path":"/a/y/z","value":9}]`, "/a/y", true},
		{"read by a test", `[{"op":"test","path":"/b","value":5}]`, `[{"op":"replace","path":"/b","value":9}]`, "/b", true},
		{"tested by them", `[{"op":"replace","path":"/b","value":9}]`, `[{"op":"test","path":"/b","value":5}]`, "", false},
		{"a later operation", `[{"op":"add","path":"/c","value":1},{"op":"remove","path":"/b"}]`, `[{"op":"add","path":"/d","value":1},{"op":"replace","path":"/b","value":9}]`, "/b", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := Parse([]byte(text), Limits{})
			require.NoError(t, err)
			ours, err := DecodePatch([]byte(c.ours), Limits{})
			require.NoError(t, err)
			theirs, err := DecodePatch([]byte(c.theirs), Limits{})
			require.NoError(t, err)
			at, clash := Clash(doc, ours, theirs)
			require.Equal(t, c.clash, clash)
			require.Equal(t, c.at, at)
			if !clash {
				theirs = changes(theirs)
				require.Equal(t, applyBoth(t, doc, ours, theirs), applyBoth(t, doc, theirs, ours), "without a clash the order is of no matter")
			}
		})
	}
}

// changes are the operations that change something.
func changes(p Patch) (out Patch) {
	for _, op := range p {
		if op.Op != "test" {
			out = append(out, op)
		}
	}
	return out
}

func applyBoth(t *testing.T, doc *Document, first, second Patch) string {
	t.Helper()
	next, _, err := doc.Apply(append(append(Patch(nil), first...), second...), Limits{})
	require.NoError(t, err)
	return string(next.Bytes())
}
