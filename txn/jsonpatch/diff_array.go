package jsonpatch

// An aligned pair of children of two arrays; a gap between two of them is a run
// of removed elements that a run of added ones takes the place of.
type aligned struct{ i, j int }

// array reports whether an element of i is in j too, or a part of one.
func (d *differ) array(i, j uint32) (kept bool) {
	in, out := d.a.children(i), d.b.children(j)
	at, to := 0, 0
	for _, p := range append(d.align(in, out), aligned{len(in), len(out)}) {
		if d.gap(in[at:p.i], out[to:p.j], to) {
			kept = true
		}
		if d.full() {
			return kept
		}
		if p.i < len(in) && d.element(in[p.i], out[p.j], p.j) {
			kept = true
		}
		at, to = p.i+1, p.j+1
	}
	return kept
}

// element compares two elements whose place is n by the time that the operations
// emitted so far have been applied: everything before it is then as in b.
func (d *differ) element(i, j uint32, n int) (kept bool) {
	if d.same(i, j) {
		return true
	}
	d.at(index(n), func() { kept = d.value(i, j) })
	return kept
}

// gap makes the run in into the run out, which starts at place n.
func (d *differ) gap(in, out []uint32, n int) (kept bool) {
	at, to := 0, 0
	for _, p := range append(d.pair(in, out), aligned{len(in), len(out)}) {
		// What resembles nothing is replaced one by one, then removed or added.
		for ; at < p.i && to < p.j && !d.full(); at, to = at+1, to+1 {
			kept = d.element(in[at], out[to], n+to) || kept
		}
		for ; at < p.i && !d.full(); at++ {
			d.at(index(n+to), func() { d.emit("remove", d.path, 0) })
		}
		for ; to < p.j && !d.full(); to++ {
			d.at(index(n+to), func() { d.emit("add", d.path, out[to]) })
		}
		if p.i < len(in) && !d.full() {
			kept = d.element(in[p.i], out[p.j], n+p.j) || kept
		}
		at, to = p.i+1, p.j+1
	}
	return kept
}

// align returns pairs of elements with the same hash, both indices ascending.
func (d *differ) align(in, out []uint32) []aligned {
	x, y := hashes(&d.a, in), hashes(&d.b, out)
	var pairs []aligned
	lo := 0
	for ; lo < len(x) && lo < len(y) && x[lo] == y[lo]; lo++ {
		pairs = append(pairs, aligned{lo, lo})
	}
	tail := 0
	for tail < len(x)-lo && tail < len(y)-lo && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	pairs = append(pairs, alignMiddle(x[lo:len(x)-tail], y[lo:len(y)-tail], lo)...)
	for ; tail > 0; tail-- {
		pairs = append(pairs, aligned{len(x) - tail, len(y) - tail})
	}
	return pairs
}

// alignMiddle leaves out what only one side has, which can't be part of a common
// subsequence and would only make the search for one longer.
func alignMiddle(x, y []uint64, offset int) []aligned {
	if len(x) == 0 || len(y) == 0 {
		return nil
	}
	xs, xAt := shared(x, y)
	ys, yAt := shared(y, x)
	keepX, keepY := common(xs, ys)
	var pairs []aligned
	j := 0
	for i, keep := range keepX {
		if !keep {
			continue
		}
		for !keepY[j] {
			j++
		}
		pairs = append(pairs, aligned{offset + xAt[i], offset + yAt[j]})
		j++
	}
	return pairs
}

// shared returns the elements of x that y has too, and where they are.
func shared(x, y []uint64) (both []uint64, at []int) {
	in := make(map[uint64]struct{})
	for _, h := range y {
		in[h] = struct{}{}
	}
	both, at = make([]uint64, 0, len(x)), make([]int, 0, len(x))
	for i, h := range x {
		if _, ok := in[h]; ok {
			both = append(both, h)
			at = append(at, i)
		}
	}
	return both, at
}

func hashes(t *tree, nodes []uint32) []uint64 {
	h := make([]uint64, len(nodes))
	for n, i := range nodes {
		h[n] = t.nodes[i].hash
	}
	return h
}

// pair says which removed elements most likely became which added ones: the
// ascending pairing that has most bytes in common, one level deep. It gives up,
// and pairs nothing, when that would take longer than the allowance.
func (d *differ) pair(in, out []uint32) []aligned {
	if len(in) == 0 || len(out) == 0 || (len(in) == 1 && len(out) == 1) {
		return nil
	}
	children := d.childCount(out)
	cost := len(in) * (len(out) + children)
	if children == 0 || cost > d.pairing {
		return nil
	}
	d.pairing -= cost
	gain, best := d.gains(in, out)
	width := len(out) + 1
	var pairs []aligned
	for i, j := 0, 0; i < len(in) && j < len(out); {
		g := gain[i*len(out)+j]
		switch here := best[i*width+j]; {
		case g > 0 && here == best[(i+1)*width+j+1]+g:
			pairs = append(pairs, aligned{i, j})
			i, j = i+1, j+1
		case here == best[(i+1)*width+j]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// gains returns what each pair has in common, row by row, and the best sum that
// in[i:] and out[j:] can give, with one more row and column of zeros.
func (d *differ) gains(in, out []uint32) (gain, best []int) {
	width := len(out) + 1
	gain = make([]int, len(in)*len(out))
	best = make([]int, (len(in)+1)*width)
	for i := len(in) - 1; i >= 0; i-- {
		like := d.likeness(in[i])
		for j := len(out) - 1; j >= 0; j-- {
			g := like(out[j])
			gain[i*len(out)+j] = g
			best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1], best[(i+1)*width+j+1]+g)
		}
	}
	return gain, best
}

func (d *differ) childCount(nodes []uint32) (n int) {
	for _, i := range nodes {
		if c := d.b.kind(i); c == '{' || c == '[' {
			for j := i + 1; j < d.b.nodes[i].next; j = d.b.nodes[j].next {
				n++
			}
		}
	}
	return n
}

// likeness returns a function that counts the bytes of a container's children
// that i has too: members by name and value, elements by value.
func (d *differ) likeness(i uint32) func(j uint32) int {
	kind := d.a.kind(i)
	if kind != '{' && kind != '[' {
		return func(uint32) int { return 0 }
	}
	has := make(map[uint64]struct{})
	for _, c := range d.a.children(i) {
		has[d.a.childHash(c)] = struct{}{}
	}
	return func(j uint32) (bytes int) {
		if d.b.kind(j) != kind {
			return 0
		}
		for _, c := range d.b.children(j) {
			if _, ok := has[d.b.childHash(c)]; ok {
				bytes += int(d.b.nodes[c].size)
			}
		}
		return bytes
	}
}
