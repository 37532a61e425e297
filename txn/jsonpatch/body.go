package jsonpatch

// body is a container that an operation entered.
type body struct {
	src  *source
	kind byte // '{' or '['
	head frag // the bracket, and what follows it up to the line end

	first, last *item
	n           int // how many slots the items hold

	start int // where the first slot starts in the source

	// scan is where the text begins that no item covers yet; if the last slot
	// is partial, it lies somewhere behind its value.
	scan    int
	closed  bool // everything is scanned; then closeAt and tail are set
	broken  bool // the closing bracket isn't where it has to be
	closeAt int
	tail    frag // what stands before the closing bracket

	// cur is the item that was looked up last, which starts with slot number
	// base: patches tend to go through a document in order.
	cur  *item
	base int

	visits  int
	changed bool // slots were added, removed or given another value

	// order is the one that the names are in, nil for none, once judged; placed is
	// the item that was put to its place in it last.
	judged bool
	order  func(a, b string) int
	placed *item

	row int // see rowLength; 0 while nobody asked

	samples map[byte][]int // see sample

	// groups is made once steps, the number of items that lookups have gone
	// past, shows that the elements are looked up in no order.
	groups *group
	steps  int

	// names is made once rescanned, the number of bytes that lookups have gone
	// through again, shows that the members are looked up in no order.
	names     map[string]*item
	rescanned int

	repeated map[string]bool // the names that it has more than once
}

// item is one slot that was looked at, or a run of n that were not.
type item struct {
	prev, next *item
	n          int
	slot       *slot

	// A run lies in the body's source from lo to hi; its last slot starts at
	// last, or that is -1 and has to be found out.
	lo, hi, last int

	group *group
	place int // of a new one: about where in the source it is; 0 while nobody asked for it or one behind it
}

// Many visits to one container make it worth while to cut its runs, so that
// none has to be scanned from far away every time.
const (
	manyVisits = 4
	longRun    = 4096
)

func (b *body) append(it *item) {
	it.prev, it.next = b.last, nil
	if b.last == nil {
		b.first = it
	} else {
		b.last.next = it
	}
	b.last = it
	b.join(it)
}

// insert puts it before next, or at the end where next is nil.
func (b *body) insert(it, next *item) {
	if next == nil {
		b.append(it)
		return
	}
	it.prev, it.next = next.prev, next
	if next.prev == nil {
		b.first = it
	} else {
		next.prev.next = it
	}
	next.prev = it
	b.join(it)
}

// unlink takes an item out.
func (b *body) unlink(it *item) {
	b.leave(it)
	if it.prev == nil {
		b.first = it.next
	} else {
		it.prev.next = it.next
	}
	if it.next == nil {
		b.last = it.prev
	} else {
		it.next.prev = it.prev
	}
}

// settle makes sure that nothing is partial.
func (b *body) settle() {
	if b.last == nil || b.last.slot == nil || !b.last.slot.partial {
		return
	}
	s := b.last.slot
	var pl place
	b.complete(&pl, s.val.end())
	b.fill(s, pl)
	b.scan = pl.next
}

// scanNext looks at the next slot that no item covers yet. Where the container
// ends, it reports false.
func (b *body) scanNext() (place, bool) {
	if b.closed {
		return place{}, false
	}
	b.settle()
	pl, ok := b.locate(b.scan)
	if ok {
		return pl, true
	}
	b.closed = true
	b.closeAt = pl.name
	b.broken = byteAt(b.src.blank, pl.name) != b.kind+2
	b.tail = b.src.frag(b.scan, b.closeAt)
	return pl, false
}

// pass adds the slot at pl, which nobody is interested in, to the last run.
func (b *body) pass(pl place) {
	b.complete(&pl, skipValue(b.src.blank, pl.val))
	b.scan = pl.next
	run := b.last
	if run == nil || run.slot != nil || run.hi != pl.lead || (b.visits > manyVisits && run.hi-run.lo > longRun) {
		b.append(&item{n: 1, lo: pl.lead, hi: pl.next, last: pl.lead})
		return
	}
	run.last, run.hi = pl.lead, pl.next
	b.resize(run, run.n+1)
}

// take adds the slot at pl as one that is looked at.
func (b *body) take(pl place) *item {
	it := &item{n: 1, slot: b.slotAt(pl, true)}
	b.append(it)
	return it
}

// scanAll scans the container to its end.
func (b *body) scanAll() {
	for {
		pl, ok := b.scanNext()
		if !ok {
			return
		}
		b.pass(pl)
	}
}

// searchRun goes through the slots of a run and makes an item of its own of the
// first that match accepts; match gets how many slots of the run were before it.
func (b *body) searchRun(run *item, match func(skipped int, pl place) bool) (found *item, skipped int) {
	n, before := 0, -1
	for p, end := run.lo, run.hi; p < end; {
		if n > 0 && b.visits > manyVisits && p-run.lo > longRun {
			run = b.cutRun(run, n, p, before)
			n, before = 0, -1
		}
		pl, ok := b.locate(p)
		if !ok {
			break
		}
		b.complete(&pl, skipValue(b.src.blank, pl.val))
		b.rescanned += pl.next - p
		if match(skipped, pl) {
			return b.isolate(run, n, pl, before), skipped
		}
		before, p = p, pl.next
		n++
		skipped++
	}
	return nil, skipped
}

// cutRun lets a run end at p, with n slots of which the last starts at before,
// and makes another one of the rest.
func (b *body) cutRun(run *item, n, p, before int) *item {
	rest := &item{n: run.n - n, lo: p, hi: run.hi, last: run.last}
	b.resize(run, n)
	run.hi, run.last = p, before
	b.insert(rest, run.next)
	return rest
}

// isolate makes an item of slot number n of a run. The item that was the run
// still starts with the same slot, so that the cursor stays right.
func (b *body) isolate(run *item, n int, pl place, before int) *item {
	rest := item{n: run.n - n - 1, lo: pl.next, hi: run.hi, last: run.last}
	it := run
	if n > 0 {
		b.resize(run, n)
		run.hi, run.last = pl.lead, before
		it = &item{n: 1}
		b.insert(it, run.next)
	} else {
		b.resize(it, 1)
	}
	it.slot = b.slotAt(pl, false)
	if rest.n > 0 {
		b.insert(&rest, it.next)
	}
	return it
}

// at returns the item of slot number i, or nil if there are fewer.
func (b *body) at(i int) *item {
	b.visits++
	it, base := b.near(i)
	for it != nil && i < base {
		it = it.prev
		base -= it.n
		b.steps++
	}
	for it != nil && i >= base+it.n {
		base += it.n
		it = it.next
		b.steps++
	}
	switch {
	case it == nil:
		it, base = b.scanTo(i), i
	case it.slot == nil:
		want := i - base
		it, base = first(b.searchRun(it, func(skipped int, _ place) bool { return skipped == want })), i
	}
	if it != nil {
		b.cur, b.base = it, base
	}
	return it
}

func first(it *item, _ int) *item { return it }

// scanTo returns the item of slot number i, which no item covers yet.
func (b *body) scanTo(i int) *item {
	for {
		pl, ok := b.scanNext()
		if !ok {
			return nil
		}
		if b.n == i {
			return b.take(pl)
		}
		b.pass(pl)
	}
}

// named returns the item of the member called token, or nil. It looks at what
// follows the last lookup first.
func (b *body) named(token string) *item {
	b.visits++
	if b.names == nil && (b.src.repeats || b.rescanned > longRun+4*(b.scan-b.start)) {
		b.indexNames()
	}
	if b.names != nil {
		return b.indexed(token)
	}
	start := b.cur
	if start == nil {
		start = b.first
	}
	it := b.namedIn(start, nil, token)
	if it == nil {
		it = b.scanFor(token)
	}
	if it == nil && start != nil && start != b.first {
		it = b.namedIn(b.first, start, token)
	}
	if it != nil {
		b.cur = it
	}
	return it
}

// indexNames makes an item of every slot, so that a name leads to it at once.
func (b *body) indexNames() {
	b.scanAll()
	b.names = make(map[string]*item, b.n)
	for it := b.first; it != nil; it = it.next {
		name := b.firstName(it)
		if b.src.repeats && b.names[name] != nil {
			if b.repeated == nil {
				b.repeated = map[string]bool{}
			}
			b.repeated[name] = true
		}
		b.names[name] = it
	}
}

// firstName returns the name of an item's first slot, which it makes the item's
// only one.
func (b *body) firstName(it *item) string {
	if it.slot != nil {
		return unquote(it.slot.name.b)
	}
	pl, _ := b.locate(it.lo)
	if it.n > 1 {
		b.complete(&pl, skipValue(b.src.blank, pl.val))
		b.cutRun(it, 1, pl.next, it.lo)
	}
	return unquote(b.src.blank[pl.name:pl.nameEnd])
}

// indexed looks a member up in the index.
func (b *body) indexed(token string) *item {
	it := b.names[token]
	if it != nil {
		b.openFirst(it)
	}
	return it
}

// namedIn looks at the items from one up to another.
func (b *body) namedIn(from, to *item, token string) *item {
	for it := from; it != to; {
		next := it.next // what searchRun cuts off, it has looked at
		if it.slot != nil {
			b.rescanned += len(it.slot.name.b)
			if nameIs(it.slot.name.b, token) {
				return it
			}
		} else if found, _ := b.searchRun(it, func(_ int, pl place) bool {
			return nameIs(b.src.blank[pl.name:pl.nameEnd], token)
		}); found != nil {
			return found
		}
		it = next
	}
	return nil
}

// scanFor looks at what no item covers yet.
func (b *body) scanFor(token string) *item {
	for {
		pl, ok := b.scanNext()
		if !ok {
			return nil
		}
		if nameIs(b.src.blank[pl.name:pl.nameEnd], token) {
			return b.take(pl)
		}
		b.pass(pl)
	}
}

// openFirst makes an item of the first slot of a run. It is the same item.
func (b *body) openFirst(it *item) *slot {
	if it.slot == nil {
		pl, _ := b.locate(it.lo)
		b.complete(&pl, skipValue(b.src.blank, pl.val))
		b.isolate(it, 0, pl, -1)
	}
	return it.slot
}

// openLast makes an item of the last slot of a run. It is another item, unless
// the slot is the only one.
func (b *body) openLast(it *item) *item {
	if it.slot == nil {
		it = b.findLast(it)
		pl, _ := b.locate(it.last)
		b.complete(&pl, skipValue(b.src.blank, pl.val))
		it = b.isolate(it, it.n-1, pl, -1)
	}
	return it
}

// findLast finds out where the last slot of a run starts, and returns the part
// of the run that it belongs to.
func (b *body) findLast(run *item) *item {
	if run.last >= 0 {
		return run
	}
	n := 0
	for p := run.lo; p < run.hi; n++ {
		if n > 0 && b.visits > manyVisits && p-run.lo > longRun {
			run = b.cutRun(run, n, p, run.last)
			n = 0
		}
		pl, ok := b.locate(p)
		if !ok {
			break
		}
		run.last = p
		b.complete(&pl, skipValue(b.src.blank, pl.val))
		p = pl.next
	}
	return run
}
