package jsonpatch

// reorder puts the slots of the container at a spot into another order: to place n
// comes the slot that was at order[n]. A slot's own comments go along; blank lines,
// line ends and commas stay where they are.
func (w *work) reorder(at spot, order []int) {
	b := at.val.enter()
	items := b.openAll()
	if len(items) != len(order) {
		return // text that was trusted wrongly
	}
	b.changed, b.judged, b.placed, b.cur = true, false, nil, nil
	old := make([]*slot, len(items))
	for n, it := range items {
		old[n] = it.slot
	}
	for n, it := range items {
		from, here := old[order[n]], old[n]
		if from == here {
			continue
		}
		s := *from
		s.lead = frag{joinLead(here.lead.b, from.lead.b), -1}
		if s.comma = here.comma; here.hasComma() != from.hasComma() {
			moveRemarks(&s, n+1 < len(old) && hasNewline(old[n+1].lead.b))
		}
		it.slot = &s
		if b.names != nil {
			b.names[unquote(s.name.b)] = it
		}
	}
	for _, it := range items {
		w.endLine(at, it)
	}
	if b.n > 0 && endsInLineComment(b.head.b) {
		if first := b.first.slot; !startsLine(first.lead.b) {
			first.lead = frag{append([]byte(w.style().newline+w.bounded(at.indent)+w.unitAt(at)), first.lead.b...), -1}
		}
	}
}

// openAll makes an item of each slot.
func (b *body) openAll() []*item {
	b.scanAll()
	b.settle()
	var items []*item
	for it := b.first; it != nil; it = it.next {
		b.openFirst(it)
		items = append(items, it)
	}
	return items
}

// joinLead is the space of one lead and the own comments of another.
func joinLead(place, from []byte) []byte {
	space := place
	if own := ownLead(place); own != nil {
		space = place[:len(place)-len(own)]
	}
	return append(append([]byte(nil), space...), ownLead(from)...)
}

// moveRemarks puts what stands behind a slot to the side of the comma where it is
// read as the slot's.
func moveRemarks(s *slot, lineEnds bool) {
	all := ownTrail(s)
	s.post, s.trail = frag{all, -1}, frag{}
	if s.hasComma() && (lineEnds || endsInLineComment(all)) {
		s.post, s.trail = frag{}, frag{all, -1}
	}
}
