package jsonpatch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextSplices(t *testing.T) {
	r := newRand(t)
	for range 2000 {
		g := randGen(r)
		a := g.text(g.jsoncLayout())
		b := a
		if r.IntN(2) == 0 {
			b = g.text(g.jsoncLayout())
		} else if n := len(a); n > 0 {
			b = a[:r.IntN(n)] + "x" + a[r.IntN(n):]
		}
		list := TextSplices([]byte(a), []byte(b))
		got, err := ApplySplices([]byte(a), list)
		require.NoError(t, err)
		require.Equal(t, b, string(got))
		back, err := ApplySplices([]byte(b), reversed(list))
		require.NoError(t, err)
		require.Equal(t, a, string(back))
	}
}

// Changes that are far apart, in lines or in one long line, cost what they are.
func TestTextSplicesAreLocal(t *testing.T) {
	for _, sep := range []string{",\n", ","} {
		var parts []string
		for i := range 20000 {
			parts = append(parts, index(i))
		}
		a := "[" + strings.Join(parts, sep) + "]"
		parts[5], parts[19000] = "x", "y"
		parts = append(parts[:10000], parts[10001:]...)
		b := "[" + strings.Join(parts, sep) + "]"
		size := 0
		for _, s := range TextSplices([]byte(a), []byte(b)) {
			size += len(s.Old) + len(s.New)
		}
		require.Less(t, size, 100)
	}
}
