package jsonpatch

// group is some neighbouring items of a body. In a large array whose elements
// are looked up in no order, the way to one leads over the groups, which know
// how many slots they hold, and then over the items of one of them.
type group struct {
	prev, next *group
	first      *item // nil in the only group of an empty body
	items      int
	n          int // how many slots the items hold
}

const (
	manySteps = 4096
	maxItems  = 256 // of a group
)

// near returns an item from which it is not far to slot number i, and the number
// of the item's first slot: the one looked up last if it is that or the next.
func (b *body) near(i int) (it *item, base int) {
	if b.groups == nil && b.steps > manySteps {
		b.makeGroups()
	}
	it, base = b.cur, b.base
	if it == nil || i < base/2 {
		it, base = b.first, 0
	}
	if b.groups == nil || it == nil || (i >= base && i-base <= it.n) {
		return it, base
	}
	g := b.groups
	for base = 0; g.next != nil && i >= base+g.n; g = g.next {
		base += g.n
	}
	return g.first, base
}

func (b *body) makeGroups() {
	g := &group{first: b.first}
	b.groups = g
	for it := b.first; it != nil; it = it.next {
		if g.items == maxItems/2 {
			g.next = &group{prev: g, first: it}
			g = g.next
		}
		it.group = g
		g.items++
		g.n += it.n
	}
}

// split halves a group that is too large.
func (g *group) split() {
	if g.items <= maxItems {
		return
	}
	rest := &group{prev: g, next: g.next, first: g.first}
	g.next = rest
	if rest.next != nil {
		rest.next.prev = rest
	}
	for range g.items / 2 {
		rest.first = rest.first.next
	}
	rest.items = g.items - g.items/2
	g.items /= 2
	it := rest.first
	for range rest.items {
		it.group = rest
		rest.n += it.n
		it = it.next
	}
	g.n -= rest.n
}

// join counts an item that was put into the list.
func (b *body) join(it *item) {
	b.n += it.n
	if b.groups == nil {
		return
	}
	g := b.groups
	if it.prev != nil {
		g = it.prev.group
	} else {
		g.first = it
	}
	it.group = g
	g.items++
	g.n += it.n
	g.split()
}

// leave discounts an item that is to be taken out of the list.
func (b *body) leave(it *item) {
	b.n -= it.n
	g := it.group
	if g == nil {
		return
	}
	g.items--
	g.n -= it.n
	if g.first == it {
		g.first = it.next
	}
	if g.items > 0 {
		return
	}
	switch {
	case g.prev != nil:
		g.prev.next = g.next
	case g.next != nil:
		b.groups = g.next
	default:
		g.first = nil
		return
	}
	if g.next != nil {
		g.next.prev = g.prev
	}
}

// resize changes how many slots an item of the list holds.
func (b *body) resize(it *item, n int) {
	b.n += n - it.n
	if it.group != nil {
		it.group.n += n - it.n
	}
	it.n = n
}
