package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// reversed returns the list that leads back from the text that s led to.
func reversed(s []Splice) []Splice {
	back := make([]Splice, len(s))
	shift := 0
	for i, sp := range s {
		back[i] = Splice{Offset: sp.Offset + shift, Old: sp.New, New: sp.Old}
		shift += len(sp.New) - len(sp.Old)
	}
	return back
}

// checkSplices checks that the splices of p, reversed, give the very bytes back.
func checkSplices(t testing.TB, d *Document, p Patch) {
	t.Helper()
	after, splices, err := d.Apply(p, Limits{})
	require.NoError(t, err)
	same, err := ApplySplices(after.Bytes(), reversed(splices))
	require.NoError(t, err)
	require.Equal(t, string(d.Bytes()), string(same))
}

func TestSplicesLeadBack(t *testing.T) {
	r := newRand(t)
	for range 3000 {
		g := randGen(r)
		d := mustParse(t, g.text(g.jsoncLayout()))
		_, p := g.edit(d, 1+g.next(32))
		checkSplices(t, d, p)
	}
}
