package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func listOf(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",%d", i)
	}
	return "[" + b.String()[1:] + "]"
}

// What makes arrays fast must not make them wrong: compared with a slice.
func TestElementsAgainstASlice(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		n := 1 + rnd.IntN(100)
		s, err := newShape([]byte(listOf(n)), 0)
		require.NoError(t, err)
		var model []string
		for i := range n {
			model = append(model, strconv.Itoa(i))
		}
		var places []place
		for step := range 300 {
			i := rnd.IntN(len(model) + 1)
			switch at := s.at(jsonpatch.Pointer{strconv.Itoa(i)}); {
			case i == len(model) || step%3 == 0:
				fresh, err := buildNode([]byte(strconv.Itoa(-step)), 0)
				require.NoError(t, err)
				_, err = s.put(jsonpatch.Pointer{strconv.Itoa(i)}, fresh, false)
				require.NoError(t, err)
				model = slices.Insert(model, i, strconv.Itoa(-step))
			case step%3 == 1:
				require.Equal(t, model[i], string(at.text(nil)))
				path, gone := s.pathOf(at)
				require.Nil(t, gone)
				require.Equal(t, strconv.Itoa(i), path[0])
				places = append(places, place{in: s.root, dead: at.take()})
				_, gone = s.pathOf(at)
				require.Equal(t, at, gone)
				model = slices.Delete(model, i, i+1)
			case len(places) > 0: // what was taken out comes back where it was
				p := places[rnd.IntN(len(places))]
				if p.dead.node != nil {
					continue
				}
				i := s.root.elems.index(p.dead)
				(&undoing{shape: s}).fill(p, rootNode(&nodeText{[]byte("0.5")}, 0))
				model = slices.Insert(model, i, "0.5")
			}
			require.Equal(t, len(model), s.root.length())
		}
		require.Equal(t, "["+strings.Join(model, ",")+"]", string(s.root.text(nil)))
		require.Equal(t, string(s.root.text(nil)), string(copyOf(s.root).text(nil)))
	}
}

// What nobody looks at stays text, however many elements and members there are.
func TestNodesAreMadeOfWhatIsLookedAt(t *testing.T) {
	const n = 100_000
	s, err := newShape([]byte(listOf(n)), 0)
	require.NoError(t, err)
	for _, i := range []string{"70000", "5", "99999"} {
		require.Equal(t, i, string(s.at(jsonpatch.Pointer{i}).text(nil)))
	}
	pieces := 0
	s.root.elems.each(func(*piece) { pieces++ })
	require.LessOrEqual(t, pieces, 7)

	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":%d`, i, i)
	}
	text := "{" + b.String()[1:] + "}"
	for name, next := range map[string]func(i int) int{
		"in order":    func(i int) int { return i },
		"backwards":   func(i int) int { return n - 1 - i },
		"in no order": func(i int) int { return i * 7919 % n },
	} {
		s, err := newShape([]byte(text), 0)
		require.NoError(t, err)
		for i := range n {
			want := strconv.Itoa(next(i))
			require.Equal(t, want, string(s.at(jsonpatch.Pointer{"k" + want}).text(nil)))
		}
		require.LessOrEqual(t, s.root.seek.scanned, 6*len(text), name)
		require.Nil(t, s.at(jsonpatch.Pointer{"none"}))
	}
}

// So many that steps which grow with the array would make this take minutes, and be
// noticed without a clock.
func TestManyElementsAreTakenAndFilled(t *testing.T) {
	const n = 200_000
	rnd := rand.New(rand.NewPCG(1, 1))
	s, err := newShape([]byte(listOf(n)), 0)
	require.NoError(t, err)
	var places []place
	for left := n; left > n/2; left-- {
		node := s.at(jsonpatch.Pointer{strconv.Itoa(rnd.IntN(left))})
		places = append(places, place{in: s.root, dead: node.take()})
		places[len(places)-1].key = string(node.text(nil))
	}
	u := &undoing{shape: s}
	for _, p := range places {
		u.fill(p, rootNode(&nodeText{[]byte(p.key)}, 0))
	}
	require.Equal(t, listOf(n), string(s.root.text(nil)))
}
