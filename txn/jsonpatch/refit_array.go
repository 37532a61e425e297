package jsonpatch

import (
	"slices"
	"strconv"
)

// elements makes an array into another. What is not wanted any more is removed
// last, so that new elements find the layout of their siblings.
func (r *refit) elements(at spot, in, out []uint32) {
	partner := r.partners(in, out)
	if !ascending(partner) {
		in = r.reorder(at, in, partner)
	}
	var gone []*item
	x, p := 0, 0
	skip := func(to int) {
		for ; x < to; x, p = x+1, p+1 {
			if next, ok := r.step(at, strconv.Itoa(p)); ok {
				gone = append(gone, next.it)
			}
		}
	}
	for k, c := range out {
		if n := partner[k]; n >= 0 {
			skip(n)
			if !r.same(in[n], c) {
				if next, ok := r.step(at, strconv.Itoa(p)); ok {
					r.become(next, in[n], c)
				}
			}
			x++
		} else if err := r.w.addElement(at, strconv.Itoa(p), r.content(c)); err != nil {
			r.err = err
			return
		}
		p++
	}
	skip(len(in))
	for _, it := range gone {
		r.w.remove(spot{val: it.slot.val, in: at.val.body, it: it})
		at.val.body.cur = nil
	}
}

// ascending tells whether those that have a partner are in its order.
func ascending(partner []int) bool {
	last := -1
	for _, n := range partner {
		if n >= 0 && n < last {
			return false
		}
		last = max(last, n)
	}
	return true
}

// reorder brings the elements that stay into the order that their partners have, in
// the places that they have together. It corrects partner, and returns the elements
// as they are then.
func (r *refit) reorder(at spot, in []uint32, partner []int) []uint32 {
	var places []int
	for _, n := range partner {
		if n >= 0 {
			places = append(places, n)
		}
	}
	order := make([]int, len(in)) // which element comes to a place
	for n := range order {
		order[n] = n
	}
	sorted := slices.Sorted(slices.Values(places))
	for i, n := range places {
		order[sorted[i]] = n
	}
	r.w.reorder(at, order)
	next := make([]uint32, len(in))
	for to, from := range order {
		next[to] = in[from]
	}
	i := 0
	for k, n := range partner {
		if n >= 0 {
			partner[k] = sorted[i]
			i++
		}
	}
	return next
}

// partners finds for each new element the old one that it is, or -1: the one that
// it was made of; else by a member that identifies elements; else by index where
// there are as many; else by value.
func (r *refit) partners(in, out []uint32) []int {
	partner := make([]int, len(out))
	for k := range partner {
		partner[k] = -1
	}
	switch {
	case r.byOrigin(in, out, partner):
		r.fillGaps(in, out, partner, r.fillEven)
	case r.byIdentity(in, out, partner):
		r.fillGaps(in, out, partner, r.fillLike) // what got another identity, and else is the same
	case len(in) == len(out):
		if !r.permuted(in, out, partner) {
			for k := range partner {
				partner[k] = k
			}
		}
	default:
		r.byValue(in, out, partner)
	}
	return partner
}

// byValue pairs what is equal, and what is between, unless that is so little that
// it means nothing.
func (r *refit) byValue(in, out []uint32, partner []int) {
	pairs := r.align(in, out)
	if 2*len(pairs) < min(len(in), len(out)) {
		pairs = nil
	}
	for _, p := range pairs {
		partner[p.j] = p.i
	}
	r.fillGaps(in, out, partner, r.fillAll)
}

func (r *refit) byOrigin(in, out []uint32, partner []int) bool {
	if len(r.kin) == 0 || r.from < 0 {
		return false
	}
	places := make(map[int]int, len(in))
	for n, c := range in {
		places[int(r.a.nodes[c].start)] = n
	}
	found := false
	for k, c := range out {
		at := r.madeOf(c)
		if n, ok := places[at]; ok {
			partner[k], found = n, true
			delete(places, at) // a second one is a copy
		}
	}
	return found
}

// identifying are the members that tell elements apart, where all have one.
var identifying = []string{"id", "name", "key"}

func (r *refit) byIdentity(in, out []uint32, partner []int) bool {
	for _, name := range identifying {
		old, ok := identities(&r.a, in, name)
		if !ok {
			continue
		}
		now, ok := identities(&r.b, out, name)
		if !ok {
			continue
		}
		found := false
		for hash, k := range now {
			if n, ok := old[hash]; ok {
				partner[k], found = n, true
			}
		}
		if found {
			return true
		}
	}
	return false
}

// identities are the places of elements by the hash of a member. It reports false
// where one has none, or two have the same.
func identities(t *tree, elems []uint32, name string) (map[uint64]int, bool) {
	found := make(map[uint64]int, len(elems))
	for n, e := range elems {
		if t.kind(e) != '{' {
			return nil, false
		}
		at := -1
		for j := e + 1; j < t.nodes[e].next; j = t.nodes[j].next {
			if nameIs(t.text[t.nodes[j].name:skipString(t.text, int(t.nodes[j].name))], name) && !isOpen(t.raw(j)) {
				at = int(j)
				break
			}
		}
		if at < 0 {
			return nil, false
		}
		hash := t.nodes[at].hash
		if _, twice := found[hash]; twice {
			return nil, false
		}
		found[hash] = n
	}
	return found, true
}

// permuted pairs arrays of the same elements in another order.
func (r *refit) permuted(in, out []uint32, partner []int) bool {
	places := make(map[uint64][]int, len(in))
	for n, c := range in {
		h := r.a.nodes[c].hash
		places[h] = append(places[h], n)
	}
	pairs := make([]int, len(out))
	for k, c := range out {
		h := r.b.nodes[c].hash
		if len(places[h]) == 0 {
			return false
		}
		pairs[k], places[h] = places[h][0], places[h][1:]
	}
	copy(partner, pairs)
	return true
}

// A gapFiller pairs old elements, from the first-th on, with new ones that are between
// the same two pairs.
type gapFiller func(in, out []uint32, first int, partner []int)

// fillGaps pairs what is left between two pairs.
func (r *refit) fillGaps(in, out []uint32, partner []int, fill gapFiller) {
	if !ascending(partner) {
		return
	}
	at, to := 0, 0
	for k := 0; k <= len(out); k++ {
		if k < len(out) && partner[k] < 0 {
			continue
		}
		n := len(in)
		if k < len(out) {
			n = partner[k]
		}
		fill(in[at:n], out[to:k], at, partner[to:k])
		at, to = n+1, k+1
	}
}

// fillEven pairs one by one where there are as many.
func (r *refit) fillEven(in, out []uint32, first int, partner []int) {
	for i := range in {
		if len(in) == len(out) {
			partner[i] = first + i
		}
	}
}

// fillLike pairs those that have something in common.
func (r *refit) fillLike(in, out []uint32, first int, partner []int) {
	for _, p := range r.alike(in, out) {
		partner[p.j] = first + p.i
	}
}

func (r *refit) alike(in, out []uint32) []aligned {
	if len(in) == 1 && len(out) == 1 && r.likeness(in[0])(out[0]) > 0 {
		return []aligned{{0, 0}}
	}
	return r.pair(in, out)
}

// fillAll is fillLike, and then pairs what is left one by one.
func (r *refit) fillAll(in, out []uint32, first int, partner []int) {
	at, to := 0, 0
	for _, p := range append(r.alike(in, out), aligned{len(in), len(out)}) {
		for ; at < p.i && to < p.j; at, to = at+1, to+1 {
			partner[to] = first + at
		}
		if p.i < len(in) && p.j < len(out) {
			partner[p.j] = first + p.i
		}
		at, to = p.i+1, p.j+1
	}
}
