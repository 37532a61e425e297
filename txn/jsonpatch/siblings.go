package jsonpatch

import "slices"

// mostSiblings is how many containers a new one is compared with.
const mostSiblings = 32

// siblings are the containers of a kind beside an item, the nearest first. Of many
// only a sample is looked at.
func (w *work) siblings(b *body, it *item, kind byte) []*exemplar {
	var like []*exemplar
	for _, o := range []*item{it.prev, it.next} {
		if o == nil || o.slot == nil {
			continue
		}
		if m := exemplarOf(o.slot.val); m != nil && m.text[m.at] == kind {
			like = append(like, m)
		}
	}
	sample, t := b.sample(kind), b.sampled()
	here := b.placeOf(it)
	behind, _ := slices.BinarySearch(sample, here)
	for before := behind - 1; len(like) < mostSiblings && (before >= 0 || behind < len(sample)); {
		if behind == len(sample) || before >= 0 && here-sample[before] <= sample[behind]-here {
			like = append(like, &exemplar{t, sample[before]})
			before--
		} else {
			like = append(like, &exemplar{t, sample[behind]})
			behind++
		}
	}
	return like
}

// sampled is the part of the source whose containers are compared with.
func (b *body) sampled() []byte {
	return b.src.blank[:min(len(b.src.blank), b.start+layoutSample)]
}

// sample is where in it filled containers of a kind begin, found once.
func (b *body) sample(kind byte) []int {
	if found, known := b.samples[kind]; known {
		return found
	}
	var found []int
	t := b.sampled()
	for at := b.start; at < len(t); {
		pl, ok := b.locate(at)
		if !ok || pl.val >= len(t) {
			break
		}
		b.complete(&pl, skipValue(b.src.blank, pl.val))
		if t[pl.val] == kind && byteAt(t, skipSpace(t, pl.val+1)) != kind+2 {
			found = append(found, pl.val)
		}
		at = pl.next
	}
	if b.samples == nil {
		b.samples = map[byte][]int{}
	}
	b.samples[kind] = found
	return found
}

// placeOf is about where in the source of a body an item is. It is noted for all that are
// passed on the way to one that tells, so that none is passed again.
func (b *body) placeOf(it *item) int {
	at, o := b.start, it.prev
	for ; o != nil; o = o.prev {
		if place := b.placeIn(o); place > 0 {
			at = place
			break
		}
	}
	for passed := it; passed != o; passed = passed.prev {
		passed.place = at
	}
	return at
}

// placeIn is where an item says that it is, 0 where it doesn't.
func (b *body) placeIn(o *item) int {
	switch {
	case o.slot == nil:
		return o.hi
	case o.slot.val.src == b.src:
		return o.slot.val.lo
	}
	return o.place
}
