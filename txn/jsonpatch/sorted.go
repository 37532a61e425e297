package jsonpatch

import (
	"cmp"
	"strings"
)

// minSorted is how many names an object must have, all in order, to be taken for
// one that is kept so.
const minSorted = 4

// orders are the ways in which people and programs sort names.
var orders = []func(a, b string) int{
	strings.Compare,
	func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	},
	compareNatural,
}

// compareNatural compares runs of digits as numbers.
func compareNatural(a, b string) int {
	for a != "" && b != "" {
		m, n := digits(a), digits(b)
		if m == 0 || n == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:m], "0"), strings.TrimLeft(b[:n], "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y), cmp.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[m:], b[n:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// memberPlace is the item before which a new member goes, nil for the end.
// Everything was scanned.
func (w *work) memberPlace(b *body, name string) *item {
	if w.editing == nil || w.editing.Append || b.n < minSorted {
		return nil
	}
	if !b.judged {
		b.judged, b.order = true, b.findOrder()
	}
	if b.order == nil {
		return nil
	}
	next := b.firstAbove(name)
	w.styledBy = w.styledBy || next != nil
	return next
}

// findOrder is the order that the names are in, nil where they are in none.
func (b *body) findOrder() func(a, b string) int {
	fits := make([]bool, len(orders))
	for i := range fits {
		fits[i] = true
	}
	last, first := "", true
	b.eachName(func(name string) bool {
		any := false
		for i, order := range orders {
			fits[i] = fits[i] && (first || order(last, name) < 0)
			any = any || fits[i]
		}
		last, first = name, false
		return any
	})
	for i, order := range orders {
		if fits[i] {
			return order
		}
	}
	return nil
}

// eachName calls f with the names in their order until it returns false.
func (b *body) eachName(f func(name string) bool) {
	for it := b.first; it != nil; it = it.next {
		if it.slot != nil {
			if !f(unquote(it.slot.name.b)) {
				return
			}
			continue
		}
		for p := it.lo; p < it.hi; {
			pl, ok := b.locate(p)
			if !ok {
				break
			}
			if !f(unquote(b.src.blank[pl.name:pl.nameEnd])) {
				return
			}
			b.complete(&pl, skipValue(b.src.blank, pl.val))
			p = pl.next
		}
	}
}

// firstAbove is the item of the first name behind another in the body's order, nil
// where there is none. Names that come in order are looked for behind the last one.
func (b *body) firstAbove(name string) *item {
	it := b.first
	if b.placed != nil && b.order(unquote(b.placed.slot.name.b), name) < 0 {
		it = b.placed
	}
	for ; it != nil; it = it.next {
		if it.slot != nil {
			if b.order(unquote(it.slot.name.b), name) > 0 {
				return it
			}
			continue
		}
		found, _ := b.searchRun(it, func(_ int, pl place) bool {
			return b.order(unquote(b.src.blank[pl.name:pl.nameEnd]), name) > 0
		})
		if found != nil {
			return found
		}
	}
	return nil
}
