package jsonpatch

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// boundSize is so large that an operation which costs time in proportion to its
// container would make these tests take minutes, and be noticed without a clock.
const boundSize = 50_000

// Many operations on one large container, in every order that defeats looking
// from one end or from the place of the operation before.
func TestManyOperationsOnOneContainer(t *testing.T) {
	r := newRand(t)
	order := r.Perm(boundSize)
	at := func(i int) Pointer { return Pointer{index(i)} }
	named := func(i int) Pointer { return Pointer{"k" + strconv.Itoa(i)} }
	last := boundSize - 1
	seven := []byte("7")
	array, object := numbers(boundSize, same), members(boundSize)
	for _, c := range []struct {
		name, doc string
		op        func(i int) Operation
	}{
		{"remove from the front", array, func(int) Operation { return Operation{Op: "remove", Path: at(0)} }},
		{"remove from the back", array, func(i int) Operation { return Operation{Op: "remove", Path: at(last - i)} }},
		{"remove anywhere", array, func(i int) Operation { return Operation{Op: "remove", Path: at(r.IntN(boundSize - i))} }},
		{"insert in front", array, func(int) Operation { return Operation{Op: "add", Path: at(0), Value: seven} }},
		{"insert anywhere", array, func(i int) Operation { return Operation{Op: "add", Path: at(r.IntN(boundSize)), Value: seven} }},
		{"append", "[]", func(int) Operation { return Operation{Op: "add", Path: Pointer{"-"}, Value: seven} }},
		{"replace in order", array, func(i int) Operation { return Operation{Op: "replace", Path: at(i), Value: seven} }},
		{"replace backwards", array, func(i int) Operation { return Operation{Op: "replace", Path: at(last - i), Value: seven} }},
		{"replace anywhere", array, func(i int) Operation { return Operation{Op: "replace", Path: at(order[i]), Value: seven} }},
		{"first to last", array, func(int) Operation { return Operation{Op: "move", From: at(0), Path: Pointer{"-"}} }},
		{"move anywhere", array, func(int) Operation { return moveAnywhere(r, at) }},
		{"add members", "{}", func(i int) Operation { return Operation{Op: "add", Path: named(i), Value: seven} }},
		{"replace members backwards", object, func(i int) Operation { return Operation{Op: "replace", Path: named(last - i), Value: seven} }},
		{"replace members anywhere", object, func(i int) Operation { return Operation{Op: "replace", Path: named(order[i]), Value: seven} }},
		{"remove members backwards", object, func(i int) Operation { return Operation{Op: "remove", Path: named(last - i)} }},
		{"remove members anywhere", object, func(i int) Operation { return Operation{Op: "remove", Path: named(order[i])} }},
		{"rename members", object, func(i int) Operation {
			return Operation{Op: "move", From: named(order[i]), Path: Pointer{"n" + strconv.Itoa(i)}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := mustParse(t, c.doc)
			p := make(Patch, boundSize)
			for i := range p {
				p[i] = c.op(i)
			}
			after, splices, err := d.Apply(p, Limits{})
			require.NoError(t, err)
			_, err = ParseStrict(after.Bytes(), Limits{})
			require.NoError(t, err)
			back, err := ApplySplices(after.Bytes(), reversed(splices))
			require.NoError(t, err)
			require.True(t, string(back) == c.doc)
		})
	}
}

func moveAnywhere(r *rand.Rand, at func(int) Pointer) Operation {
	return Operation{Op: "move", From: at(r.IntN(boundSize)), Path: at(r.IntN(boundSize))}
}

// members writes an object of n members.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"k` + strconv.Itoa(i) + `":` + strconv.Itoa(i))
	}
	return "{" + b.String()[1:] + "}"
}

// What makes the above fast must not make it wrong: a mixture of operations on
// one container that is large enough for indices, compared with the model.
func TestManyOperationsAgainstModel(t *testing.T) {
	r := newRand(t)
	for range 20 {
		array := r.IntN(2) == 0
		n := 200 + r.IntN(3000)
		doc := members(n)
		if array {
			doc = objects(n, -1, -1)
		}
		d := mustParse(t, doc)
		m, err := parseModel([]byte(doc))
		require.NoError(t, err)
		var p Patch
		for i := range 4000 {
			op := mixedOperation(r, m, array, i)
			m, err = m.applyOne(op)
			require.NoError(t, err)
			p = append(p, op)
		}
		after, splices, err := d.Apply(p, Limits{})
		require.NoError(t, err)
		got, err := parseModel(after.Bytes())
		require.NoError(t, err)
		require.True(t, m.equal(got, true))
		checkBytes(t, d, after, splices)
	}
}

// mixedOperation makes one that fits the model, which is an array of objects or
// an object.
func mixedOperation(r *rand.Rand, m *model, array bool, i int) Operation {
	place := func() Pointer {
		at := r.IntN(len(m.items))
		switch r.IntN(6) {
		case 0:
			at = 0
		case 1:
			at = len(m.items) - 1
		}
		if array {
			return Pointer{index(at)}
		}
		return Pointer{m.names[at]}
	}
	fresh := func() Pointer {
		if array {
			return place()
		}
		return Pointer{"n" + strconv.Itoa(i)}
	}
	value := []byte(`{"new":` + strconv.Itoa(i) + `}`)
	if len(m.items) < 50 {
		return Operation{Op: "add", Path: fresh(), Value: value}
	}
	switch r.IntN(6) {
	case 0:
		return Operation{Op: "add", Path: fresh(), Value: value}
	case 1:
		return Operation{Op: "replace", Path: place(), Value: value}
	case 2:
		return Operation{Op: "move", From: place(), Path: fresh()}
	case 3:
		return Operation{Op: "copy", From: place(), Path: fresh()}
	case 4:
		if array {
			return Operation{Op: "add", Path: Pointer{"-"}, Value: value}
		}
	}
	return Operation{Op: "remove", Path: place()}
}

// TestManyContainersBehindNewValues: for each its neighbours in the text are looked for,
// behind values that are not there yet.
func TestManyContainersBehindNewValues(t *testing.T) {
	p := make(Patch, 2*boundSize)
	for i := range boundSize {
		p[i] = Operation{Op: "add", Path: Pointer{"-"}, Value: []byte("7")}
		p[boundSize+i] = Operation{Op: "add", Path: Pointer{index(boundSize)}, Value: []byte(`{"a":7}`)}
	}
	done, err := mustParse(t, "[]").Edit(p, Style{}, Limits{})
	require.NoError(t, err)
	require.Len(t, done.Splices, 1)
}
