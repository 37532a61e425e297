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

// The blocks must see what a walk byte by byte sees, also where a long run of
// backslashes goes from block to block, and however the blocks are grouped.
func TestBlocksAgreeWithBytes(t *testing.T) {
	if !hasBlocks() {
		t.Skip("the processor has no blocks")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		text := make([]byte, 0, 16*blockSize)
		for len(text) < cap(text) {
			if run := r.IntN(3 * blockSize); r.IntN(200) == 0 {
				text = append(text, strings.Repeat(`\`, min(run, cap(text)-len(text)))...)
				continue
			}
			text = append(text, "\"\\{}[]aY_ \x00\xff"[r.IntN(12)])
		}
		var state, slow stringState
		for rest := text; len(rest) > 0; {
			masks := make([]bracketMasks, 1+r.IntN(len(rest)/blockSize))
			classifyBlocks(&rest[0], len(masks), &state, &masks[0])
			for i, m := range masks {
				require.Equal(t, slowMasks(rest[i*blockSize:][:blockSize], &slow), m, "%q", text)
			}
			require.Equal(t, slow, state, "%q", text)
			rest = rest[len(masks)*blockSize:]
		}
	}
}

// slowMasks is classifyBlocks for one block, one byte at a time.
func slowMasks(block []byte, s *stringState) (m bracketMasks) {
	for i, c := range block {
		escaped := s.escaped != 0
		s.escaped = 0
		switch {
		case c == '\\' && !escaped:
			s.escaped = 1
		case c == '"' && !escaped:
			s.within = ^s.within
		case s.within == 0 && (c == '{' || c == '['):
			m.open |= 1 << i
		case s.within == 0 && (c == '}' || c == ']'):
			m.closing |= 1 << i
		}
	}
	return m
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
