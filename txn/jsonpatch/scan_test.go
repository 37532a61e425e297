package jsonpatch

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// slowEnd finds the end of a container one byte at a time.
func slowEnd(b []byte, limit int) (end, over int) {
	depth, within := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case within && c == '\\':
			i++
		case c == '"':
			within = !within
		case within:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return len(b), i
			}
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1, -1
			}
		}
	}
	return len(b), -1
}

// randomContainer writes something that scans like JSON: brackets, and strings
// with brackets, quotes and backslashes in them.
func randomContainer(r *rand.Rand) []byte {
	var b strings.Builder
	b.WriteByte('[')
	depth := 1
	for n := r.IntN(300); n > 0 || depth > 0; n-- {
		switch k := r.IntN(8); {
		case n > 0 && k < 2:
			b.WriteByte("[{"[k])
			depth++
		case k < 4 && (depth > 1 || n <= 0):
			b.WriteByte("]}"[k%2])
			depth--
		case k < 6:
			b.WriteString(strings.Repeat(" ", r.IntN(20)))
		default:
			b.WriteByte('"')
			for range r.IntN(60) {
				b.WriteString([]string{"a", "Y", "y", "_", "[", "]", "{", "}", `\"`, `\\`, "é"}[r.IntN(11)])
			}
			b.WriteByte('"')
		}
	}
	return []byte(b.String())
}

func TestContainersEndWhereTheyDo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		text := append(randomContainer(r), strings.Repeat(`]"}`, r.IntN(60))...)
		end, _ := slowEnd(text, math.MaxInt)
		require.Equal(t, end, skipContainer(text, 0), "%s", text)
		n := nesting{high: math.MaxInt}
		require.Equal(t, end, n.brackets(text, 0, len(text)), "%s", text)
		require.Equal(t, end, scanNesting(text, 0, nesting{high: math.MaxInt}), "%s", text)
		for _, limit := range []int{1, 3, 9} {
			_, over := slowEnd(text[:end], limit)
			require.Equal(t, over, depthOver(text[:end], limit), "%s", text)
			n := nesting{low: -1, high: limit}
			if over < 0 {
				over = end
			}
			require.Equal(t, over, n.brackets(text[:end], 0, end), "%s", text)
		}
		short := text[:r.IntN(end)]
		require.Equal(t, len(short), skipValue(short, 0), "%s", short)
	}
}

func TestSkipString(t *testing.T) {
	for length := range 40 {
		for _, content := range []string{"", `\"`, `\\`, `\\\"`, "é", "}"} {
			text := `"` + strings.Repeat("x", length) + content + `"`
			require.Equal(t, len(text), skipString([]byte(text+`,"y"`), 0), text)
			require.Equal(t, len(text), skipString([]byte(text), 0), text)
			require.Equal(t, len(text)-1, skipString([]byte(text[:len(text)-1]), 0), text)
		}
	}
	require.Equal(t, 2, skipString([]byte(`"\`), 0))
}
