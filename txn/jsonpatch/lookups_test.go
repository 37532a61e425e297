package jsonpatch

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is remembered of a large document, and carried over to what edits make of
// it, is what a look at the text finds.
func TestLookupsAreWhereTheTextHasThem(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for _, comment := range []string{"", "// c\n"} {
		text := append([]byte(comment), benchDocument(minKnown+1<<10)...)
		doc, err := Parse(text, Limits{})
		require.NoError(t, err)
		pointers := []Pointer{{}, {"version"}, {"target"}, {"target", "count"}, {"more"}, {"more", "0"}, {"records", "1", "tags"}, {"records", "1", "tags", "0"},
			{"records", "0"}, {"records", "0", "id"}, {"more", "1", "name"}, {"none"}}
		for range 2000 {
			p := pointers[rnd.IntN(len(pointers))]
			fresh := Trusted(doc.Bytes(), JSONC)
			want, wantErr := fresh.Get(p)
			got, err := doc.Get(p)
			require.Equal(t, wantErr == nil, err == nil)
			require.Equal(t, string(want), string(got), "%s", p)
			if err != nil || len(p) == 0 || bytes.HasPrefix(got, []byte("{")) || bytes.HasPrefix(got, []byte("[")) || rnd.IntN(2) == 0 {
				continue
			}
			var value []byte
			switch rnd.IntN(3) {
			case 0:
				value = []byte(fmt.Sprint(rnd.IntN(100000)))
			case 1:
				value = fmt.Appendf(nil, "%q", bytes.Repeat([]byte("x"), rnd.IntN(20)))
			default:
				value = want
			}
			patch := Patch{{Op: "replace", Path: p, Value: value}}
			next, _, err := doc.Apply(patch, Limits{})
			require.NoError(t, err)
			again, _, err := fresh.Apply(patch, Limits{})
			require.NoError(t, err)
			require.Equal(t, string(again.Bytes()), string(next.Bytes()))
			doc = next
		}
		require.LessOrEqual(t, len(*doc.known.Load()), mostLookups)
	}
}
