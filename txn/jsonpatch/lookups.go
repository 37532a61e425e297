package jsonpatch

import "slices"

// seen is where the value that a pointer points to is.
type seen struct {
	p      Pointer
	lo, hi int // raw[lo:hi]
}

// lookups are the last places that were looked up in a document. To find one in a large
// document means to go through all that is before it; programs that use a document
// often mostly look at a few places, and change the value that they have just read.
type lookups []seen

const (
	// mostLookups is how many are kept.
	mostLookups = 16
	// minKnown is the size in bytes from which keeping them pays.
	minKnown = 4 << 10
)

// find returns where the value that p points to is, or -1 where there is none.
func (d *Document) find(p Pointer) (lo, hi int) {
	if known := d.known.Load(); known != nil {
		for _, k := range *known {
			if slices.Equal(k.p, p) {
				return k.lo, k.hi
			}
		}
	}
	if d.syntax != Strict && d.repeats() {
		at, err := newWork(d, Limits{}).walk(p)
		if err != nil {
			return -1, -1
		}
		return at.val.lo, at.val.end()
	}
	t := d.blank()
	if lo = lookup(t, skipSpace(t, bomLength(t)), p); lo < 0 {
		return -1, -1
	}
	hi = skipValue(t, lo)
	if len(t) >= minKnown {
		d.keep(seen{slices.Clone(p), lo, hi})
	}
	return lo, hi
}

// keep remembers a place. Of two that come at once one may be lost.
func (d *Document) keep(k seen) {
	next := lookups{k}
	if known := d.known.Load(); known != nil {
		next = append(next, (*known)[:min(len(*known), mostLookups-1)]...)
	}
	d.known.Store(&next)
}

// after is where the places are when raw[lo:hi] has been replaced by text that ends
// at end. What was inside is gone.
func (known *lookups) after(lo, hi, end int) *lookups {
	if known == nil {
		return nil
	}
	next := make(lookups, 0, len(*known))
	for _, k := range *known {
		switch {
		case k.hi <= lo:
		case k.lo >= hi:
			k.lo, k.hi = k.lo+end-hi, k.hi+end-hi
		case k.lo <= lo && k.hi >= hi:
			k.hi += end - hi
		default:
			continue
		}
		next = append(next, k)
	}
	return &next
}
