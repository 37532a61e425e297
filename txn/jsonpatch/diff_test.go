package jsonpatch

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/wI2L/jsondiff"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, a, b, want string }{
		{"same", `{"a":1}`, `{"a":1}`, `[]`},
		{"layout", `{"a":[1,2]}`, "{\n\t\"a\": [ 1, 2 ]\n}\n", `[]`},
		{"member order", `{"a":1,"b":{"c":1,"d":2}}`, `{"b":{"d":2,"c":1},"a":1}`, `[]`},
		{"spelling", `{"\u0061":["\u00e9",1.0,1e2]}`, `{"a":["é",1,100]}`, `[]`},
		{"huge exponents", `[1e999999999999999999999]`, `[10e999999999999999999998]`, `[]`},
		{"scalar root", `1`, `2`, `[{"op":"replace","path":"","value":2}]`},
		{"kind of root", `[1]`, `{"a":1}`, `[{"op":"replace","path":"","value":{"a":1}}]`},
		{"one field", `{"a":1,"b":2}`, `{"a":1,"b":3}`, `[{"op":"replace","path":"/b","value":3}]`},
		{"literal kept", `{"a":1,"b":2}`, `{"a":1,"b":3.10}`, `[{"op":"replace","path":"/b","value":3.10}]`},
		{"big numbers", `[9007199254740993]`, `[9007199254740992]`, `[{"op":"replace","path":"/0","value":9007199254740992}]`},
		{"order of operations", `{"z":1,"y":2,"x":3,"w":4}`, `{"q":1,"w":4,"y":5,"p":1}`,
			`[{"op":"remove","path":"/z"},{"op":"replace","path":"/y","value":5},{"op":"remove","path":"/x"},` +
				`{"op":"add","path":"/q","value":1},{"op":"add","path":"/p","value":1}]`},
		{"names that need escapes", `{"x":0,"":{"a/b":1,"k":2},"m~n":1}`, `{"x":0,"":{"a/b":2,"k":2},"m~n":2}`,
			`[{"op":"replace","path":"//a~1b","value":2},{"op":"replace","path":"/m~0n","value":2}]`},
		{"null is a value", `{"a":null,"b":0}`, `{"b":0}`, `[{"op":"remove","path":"/a"}]`},
		{"to null", `{"a":1,"b":0}`, `{"a":null,"b":0}`, `[{"op":"replace","path":"/a","value":null}]`},
		{"append", `[1,2]`, `[1,2,3]`, `[{"op":"add","path":"/2","value":3}]`},
		{"prepend", `[1,2]`, `[3,1,2]`, `[{"op":"add","path":"/0","value":3}]`},
		{"from the middle", `[1,2,3,4]`, `[1,4]`, `[{"op":"remove","path":"/1"},{"op":"remove","path":"/1"}]`},
		{"change an element", `[1,2,3]`, `[1,9,3]`, `[{"op":"replace","path":"/1","value":9}]`},
		{"inside an element", `[{"id":1,"v":1},{"id":2,"v":1}]`, `[{"id":1,"v":1},{"id":2,"v":2}]`,
			`[{"op":"replace","path":"/1/v","value":2}]`},
		{"insert before a changed element", `[{"id":1,"v":"old"}]`, `[{"id":7,"v":"x"},{"id":1,"v":"new"}]`,
			`[{"op":"add","path":"/0","value":{"id":7,"v":"x"}},{"op":"replace","path":"/1/v","value":"new"}]`},
		{"remove before a changed element", `[{"id":7,"v":"x"},{"id":1,"v":"old"}]`, `[{"id":1,"v":"new"}]`,
			`[{"op":"remove","path":"/0"},{"op":"replace","path":"/0/v","value":"new"}]`},
		{"several hunks", `[1,2,3,4,5,6,7,8]`, `[2,3,9,5,6,8,10]`,
			`[{"op":"remove","path":"/0"},{"op":"replace","path":"/2","value":9},{"op":"remove","path":"/5"},{"op":"add","path":"/6","value":10}]`},
		{"nothing in common", `{"a":{"b":1,"c":2}}`, `{"a":{"x":1}}`, `[{"op":"replace","path":"/a","value":{"x":1}}]`},
		{"emptied", `{"a":[1,2,3]}`, `{"a":[]}`, `[{"op":"replace","path":"/a","value":[]}]`},
		{"value without layout", `{"a":1}`, "{\"a\":1,\"b\": {\n \"x\" : [ 1 ]\n}}", `[{"op":"add","path":"/b","value":{"x":[1]}}]`},
		{"comments", "{\n// one\n\"a\": 1, // two\n}", "{\"a\": 2, /* three */ \"b\": [ 1, /* four */ ], }",
			`[{"op":"replace","path":"/a","value":2},{"op":"add","path":"/b","value":[1]}]`},
		{"byte order mark", "\ufeff{\"a\":1,\"b\":1}", `{"a":2,"b":1}`, `[{"op":"replace","path":"/a","value":2}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := mustParse(t, c.a), mustParse(t, c.b)
			p := checkDiff(t, a, b)
			require.Equal(t, c.want, string(p.Encode()))
		})
	}
}

// checkDiff makes a patch and checks all that must be true of any.
func checkDiff(t testing.TB, a, b *Document) Patch {
	t.Helper()
	p, err := Diff(a, b)
	require.NoError(t, err)
	after, _, err := a.Apply(p, Limits{})
	require.NoError(t, err, "apply %s", p.Encode())
	require.True(t, Equal(after.text(), b.text()), "a %s\nb %s\npatch %s\ngives %s",
		a.Bytes(), b.Bytes(), p.Encode(), after.Bytes())
	whole := Patch{{Op: "replace", Value: Compact(b.text())}}
	require.LessOrEqual(t, len(p.Encode()), keepFactor*len(whole.Encode()))
	return p
}

func TestDiffRandom(t *testing.T) {
	r := newRand(t)
	for range 3000 {
		g := randGen(r)
		a := mustParse(t, g.text(g.jsoncLayout()))
		b := mustParse(t, g.text(g.jsoncLayout()))
		checkDiff(t, a, b)
		checkDiff(t, b, a)
		edited, _ := g.edit(a, 1+g.next(4))
		checkDiff(t, a, edited)
		checkDiff(t, edited, a)
	}
}

// The longest common subsequence of short sequences, by the textbook's table.
func TestCommonIsLongest(t *testing.T) {
	r := newRand(t)
	for range 5000 {
		x, y := randomSequence(r), randomSequence(r)
		keepX, keepY := common(x, y)
		var cx, cy []uint64
		for i, keep := range keepX {
			if keep {
				cx = append(cx, x[i])
			}
		}
		for i, keep := range keepY {
			if keep {
				cy = append(cy, y[i])
			}
		}
		require.Equal(t, cx, cy, "%v %v", x, y)
		require.Equal(t, tableLCS(x, y), len(cx), "%v %v", x, y)
	}
}

func randomSequence(r *rand.Rand) []uint64 {
	s := make([]uint64, r.IntN(30))
	kinds := 1 + r.IntN(12)
	for i := range s {
		s[i] = uint64(r.IntN(kinds))
	}
	return s
}

func tableLCS(x, y []uint64) int {
	row := make([]int, len(y)+1)
	for _, a := range x {
		diagonal := 0
		for j, b := range y {
			above := row[j+1]
			if a == b {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(y)]
}

// A search that has lost its patience must still give a common subsequence.
func TestCommonWithoutPatience(t *testing.T) {
	r := newRand(t)
	x, y := make([]uint64, 100_000), make([]uint64, 100_000)
	for i := range x {
		x[i], y[i] = uint64(i), uint64(i)
	}
	r.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
	keepX, keepY := common(x, y)
	n := 0
	for i, j := 0, 0; i < len(x); i++ {
		if !keepX[i] {
			continue
		}
		for !keepY[j] {
			j++
		}
		require.Equal(t, x[i], y[j])
		j++
		n++
	}
	require.Positive(t, n)
}

func numbers(n int, at func(i int) int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(at(i)))
	}
	b.WriteByte(']')
	return b.String()
}

func same(i int) int { return i }

// Each of these took a naive array comparison time or space in proportion to
// the square of the document, or an operation for each element.
func TestDiffStaysSmall(t *testing.T) {
	r := newRand(t)
	for _, c := range []struct {
		name   string
		a, b   string
		maxOps int
	}{
		{"first of 5000 dropped", numbers(5000, same), numbers(4999, func(i int) int { return i + 1 }), 1},
		{"one of 5000 put in front", numbers(5000, same), numbers(5001, func(i int) int { return i - 1 }), 1},
		{"shifted by one", numbers(5000, same), numbers(5000, func(i int) int { return i + 1 }), 2},
		{"rotated by 100", numbers(20000, same), numbers(20000, func(i int) int { return (i + 100) % 20000 }), 200},
		{"every 100th changed", numbers(20000, same), numbers(20000, func(i int) int {
			if i%100 == 0 {
				return -i - 1
			}
			return i
		}), 200},
		{"20000 shuffled", numbers(20000, same), numbers(20000, shuffled(r, 20000)), 1},
		{"20000 of few kinds", numbers(20000, func(int) int { return r.IntN(3) }), numbers(20000, func(int) int { return r.IntN(3) }), 1},
		{"all others", numbers(20000, same), numbers(20000, func(i int) int { return i + 50000 }), 1},
		{"two of 20000 objects", objects(20000, -1, -1), objects(20000, 17, 15000), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Diff(mustParse(t, c.a), mustParse(t, c.b))
			require.NoError(t, err)
			require.LessOrEqual(t, len(p), c.maxOps)
			require.LessOrEqual(t, len(p.Encode()), keepFactor*(len(c.b)+60))
		})
	}
}

func shuffled(r *rand.Rand, n int) func(int) int {
	order := r.Perm(n)
	return func(i int) int { return order[i] }
}

// objects writes n records, of which two have another field.
func objects(n, other, another int) string {
	var b strings.Builder
	for i := range n {
		done := i == other || i == another
		fmt.Fprintf(&b, `,{"id":%d,"name":"n%d","tags":["a","b%d"],"done":%v}`, i, i, i%7, done)
	}
	return "[" + b.String()[1:] + "]"
}

// Depth costs no more than length: every level is compared with a replacement
// of itself, which must not mean looking at all of what is below once more.
func TestDiffDeep(t *testing.T) {
	deep := func(leaf string) string {
		return strings.Repeat(`{"a":[0,`, 450) + leaf + strings.Repeat(`]}`, 450)
	}
	a, b := deep(numbers(5000, same)), deep(numbers(5000, func(i int) int { return i + i%2 }))
	checkDiff(t, mustParse(t, a), mustParse(t, b))
	checkDiff(t, mustParse(t, deep("1")), mustParse(t, deep("2")))
}

func TestDiffOfWronglyTrusted(t *testing.T) {
	good := Trusted([]byte(`{"a":[1]}`), Strict)
	for _, text := range []string{
		"", " ", "{", "[", "[1", "[1 2]", `{"a"`, `{"a":`, `{"a":1`, `{a:1}`, `"`, `{"`, `[,]`, `{"a" 1}`, "]",
		strings.Repeat("[", 100_000), strings.Repeat(`{"":`, 100_000), "\ufeff",
	} {
		for _, s := range []Syntax{Strict, JSONC} {
			_, err := Diff(good, Trusted([]byte(text), s))
			require.ErrorIs(t, err, ErrInvalid, "%.20q", text)
			_, err = Diff(Trusted([]byte(text), s), good)
			require.ErrorIs(t, err, ErrInvalid, "%.20q", text)
		}
	}
}

// The hash must be the same where Equal says so, or equal elements are not
// aligned. The other way round is a matter of chance, and is verified.
func TestHashAgreesWithEqual(t *testing.T) {
	r := newRand(t)
	g := randGen(r)
	texts := append([]string{}, genScalars...)
	for range 300 {
		texts = append(texts, g.value(genLayout{}.compact()))
	}
	d := &differ{}
	var trees []tree
	seed := maphash.MakeSeed()
	for _, text := range texts {
		tr, err := buildTree([]byte(text), seed)
		require.NoError(t, err)
		require.Equal(t, len(Compact([]byte(text))), int(tr.nodes[0].size), text)
		trees = append(trees, tr)
	}
	for _, a := range trees {
		for _, b := range trees {
			d.a, d.b = a, b
			equal := Equal(a.text, b.text)
			if equal {
				require.Equal(t, a.nodes[0].hash, b.nodes[0].hash, "%s %s", a.text, b.text)
			}
			ma, _ := parseModel(a.text)
			mb, _ := parseModel(b.text)
			require.Equal(t, equal, ma.equal(mb, false), "%s %s", a.text, b.text)
			require.Equal(t, equal, d.same(0, 0))
		}
	}
}

// wI2L/jsondiff is the oracle: what it finds must lead to the same value, and
// over many pairs our patches are not longer.
func TestDiffAgainstOracle(t *testing.T) {
	r := newRand(t)
	ours, theirs, shorter, longer := 0, 0, 0, 0
	for range 2000 {
		g := randGen(r)
		a := mustParse(t, g.text(g.layout()))
		b, _ := g.edit(a, 1+g.next(3))
		p := checkDiff(t, a, b)
		oracle, err := jsondiff.CompareJSON(a.text(), b.text(), jsondiff.UnmarshalFunc(unmarshalNumbers))
		require.NoError(t, err)
		if bytes.ContainsAny(b.Bytes(), ".eE") || len(oracle) == 0 {
			continue // it tells 1 from 1.0, and writes no list for nothing
		}
		text := []byte(oracle.String())
		after, _, err := a.Apply(mustPatch(t, "["+strings.ReplaceAll(string(text), "\n", ",")+"]"), Limits{})
		require.NoError(t, err, "%s", text)
		require.True(t, Equal(after.Bytes(), b.Bytes()), "a %s\nb %s\npatch %s\ngives %s", a.Bytes(), b.Bytes(), text, after.Bytes())
		x, y := len(p.Encode()), len(text)+2
		ours, theirs = ours+x, theirs+y
		if x < y {
			shorter++
		} else if x > y {
			longer++
		}
	}
	t.Logf("bytes of patches: %d, oracle %d; shorter %d times, longer %d times", ours, theirs, shorter, longer)
	require.LessOrEqual(t, ours, theirs)
}
