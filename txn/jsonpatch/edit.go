package jsonpatch

import "bytes"

// maxCopiedSpace is how long an indent may be that new lines repeat. Deeper
// ones are taken for what they are, an attempt to make text grow.
const maxCopiedSpace = 1024

// insert adds a member called name, or an element, to the container at a spot,
// before the item next or, if that is nil, at the end. Everything up to there
// must have been scanned.
func (w *work) insert(at spot, name string, content content, next *item) *item {
	b := at.val.body
	b.changed = true
	s := &slot{}
	if b.kind == '{' {
		s.name = quoteName(name)
		if content.name != nil {
			s.name = frag{content.name, -1}
		}
	}
	it := &item{n: 1, slot: s}
	var sibling *slot
	switch {
	case b.n == 0:
		w.placeOnly(at, s)
	case next != nil && next.prev == nil:
		sibling = b.openFirst(next)
		w.placeFirst(at, s, next)
	default:
		prev := b.last
		if next != nil {
			prev = next.prev
		}
		prev = b.openLast(prev)
		sibling = prev.slot
		w.placeAfter(at, s, prev, next)
	}
	if b.kind == '{' {
		s.mid = w.midLike(sibling)
	}
	b.insert(it, next)
	if b.names != nil {
		b.names[name] = it
	}
	s.val = w.valueOf(content, w.fitNew(content, at, it, sibling))
	if w.editing != nil {
		w.dress(at, it, content)
	}
	return it
}

func quoteName(name string) frag {
	return frag{appendQuoted(nil, name), -1}
}

// midLike returns the colon with the space that a sibling has around it.
func (w *work) midLike(sibling *slot) frag {
	if sibling == nil || hasComment(sibling.mid.b) || hasNewline(sibling.mid.b) || len(sibling.mid.b) > maxCopiedSpace {
		return newFrag(w.style().colon)
	}
	return frag{sibling.mid.b, -1}
}

// placeOnly makes the space around the first slot of an empty container.
func (w *work) placeOnly(at spot, s *slot) {
	b := at.val.body
	b.scanAll()
	within := append(bytes.Clone(b.head.b[1:]), b.tail.b...)
	lines := hasNewline(within) || endsInLineComment(within)
	if !lines {
		lines = !at.inline && w.style().multiline
	}
	comments := bytes.TrimRight(b.tail.b, " \t\r\n")
	if lines && len(at.indent) <= maxCopiedSpace {
		l, unit := w.style(), w.style().unit
		if w.editing != nil {
			unit = w.unitAt(at)
			w.styledBy = w.styledBy || unit != l.unit
		}
		s.lead = newFrag(string(comments) + l.newline + at.indent + unit)
		b.tail = newFrag(l.newline + at.indent)
		return
	}
	pad := w.style().padArray
	if b.kind == '{' {
		pad = w.style().padObject
	}
	if endsInLineComment(comments) {
		pad = w.style().newline
	}
	s.lead = newFrag(string(comments) + pad)
	b.tail = newFrag(pad)
}

// placeFirst makes the space around a slot that is put before all others.
func (w *work) placeFirst(at spot, s *slot, next *item) {
	b, old := at.val.body, next.slot
	s.lead = newFrag(w.bounded(spaceOf(old.lead.b)))
	s.comma = newFrag(",")
	if !startsLine(s.lead.b) && endsInLineComment(b.head.b) {
		s.lead = newFrag(w.style().newline)
	}
	if hasNewline(old.lead.b) && b.n == 1 {
		return
	}
	// The one that was first is separated from the new one as the second is
	// from the first.
	space := w.style().comma
	if b.n > 1 {
		second := b.openFirst(next.next)
		space = spaceOf(second.lead.b)
		if hasNewline(old.lead.b) && (hasNewline(second.lead.b) || hasComment(old.lead.b)) {
			return
		}
	}
	lead := bytes.TrimLeft(old.lead.b, " \t\r\n")
	old.lead = newFrag(w.bounded(space) + string(lead))
}

// bounded is space, or one blank if it is too long to repeat.
func (w *work) bounded(space string) string {
	if len(space) > maxCopiedSpace {
		return " "
	}
	return space
}

// placeAfter makes the space around a slot that follows the one of prev, and puts
// the commas: in the middle behind the new slot, at the end as it was.
func (w *work) placeAfter(at spot, s *slot, prev, next *item) {
	before := prev.slot
	s.lead = newFrag(w.bounded(w.separator(at.val.body, prev, next)))
	if w.editing != nil && at.val.body.kind == '[' {
		w.placeInRow(at, s, prev, next)
	}
	if !startsLine(s.lead.b) && endsInLineComment(before.after()) {
		l := w.style()
		s.lead = newFrag(l.newline + w.bounded(at.indent) + l.unit)
	}
	if next != nil || before.hasComma() {
		s.comma = newFrag(",")
		return
	}
	before.comma = newFrag(",")
	if hasNewline(s.lead.b) {
		before.trail, before.post = before.post, frag{}
	}
}

// separator returns the space between two slots of a body as it is before the
// slot prev or, if that is the first one, before the one behind it.
func (w *work) separator(b *body, prev, next *item) string {
	switch lead := prev.slot.lead.b; {
	case prev.prev != nil || hasNewline(lead) && next == nil:
		return spaceOf(lead)
	case next != nil:
		return spaceOf(b.openFirst(next).lead.b)
	}
	return w.style().comma
}

// remove takes out the slot at a spot, with its comma, its line and the
// comments that belong to it.
func (w *work) remove(at spot) {
	b, it := at.in, at.it
	b.changed = true
	b.settle()
	if it.next == nil {
		if pl, ok := b.scanNext(); ok {
			b.pass(pl)
		}
	}
	prev, next := it.prev, it.next
	if prev != nil {
		prev = b.openLast(prev)
	}
	if next != nil {
		w.closeGap(b, it.slot, prev, next)
	} else {
		w.cutEnd(b, it.slot, prev)
	}
	b.cur = next
	if next == nil && prev != nil {
		b.cur = prev
		b.base -= prev.n
	}
	b.unlink(it)
	if b.names != nil {
		delete(b.names, unquote(it.slot.name.b))
	}
	if b.n == 0 {
		b.collapse()
	}
}

// closeGap gives the slot behind a removed one what the removed one leaves.
func (w *work) closeGap(b *body, gone *slot, prev, next *item) {
	after := b.openFirst(next)
	kept := leftBehind(gone.lead.b, startsWithBlankLine(after.lead.b))
	lead := after.lead.b
	if !hasNewline(lead) {
		lead = append([]byte(spaceOf(gone.lead.b)), bytes.TrimLeft(lead, " \t")...)
	}
	if prev == nil && len(kept) == 0 && startsWithBlankLine(lead) {
		// A blank line between two members is none below the bracket.
		lead = append([]byte(spaceOf(gone.lead.b)), lead[skipSpace(lead, 0):]...)
	}
	if lead = w.joinTrivia(b, prev, kept, lead); !bytes.Equal(lead, after.lead.b) {
		after.lead = frag{lead, -1}
	}
}

// cutEnd lets a body end with prev, or be empty.
func (w *work) cutEnd(b *body, gone *slot, prev *item) {
	if prev != nil && !gone.hasComma() {
		prev.slot.comma = frag{}
	}
	kept := leftBehind(gone.lead.b, true)
	tail := w.joinTrivia(b, prev, kept, b.tail.b)
	if !bytes.Equal(tail, b.tail.b) {
		b.tail = frag{tail, -1}
	}
}

// joinTrivia puts kept before trivia. Where the text before ends in a comment
// that runs to the end of the line, it makes sure that the line ends.
func (w *work) joinTrivia(b *body, prev *item, kept, trivia []byte) []byte {
	before := b.head.b[1:]
	if prev != nil {
		before = prev.slot.after()
	}
	joined := append(bytes.Clone(kept), trivia...)
	if endsInLineComment(before) && !startsLine(joined) {
		joined = append([]byte(w.style().newline), joined...)
	}
	if len(kept) > 0 && endsInLineComment(kept) && !startsLine(trivia) {
		joined = append(append(bytes.Clone(kept), w.style().newline...), trivia...)
	}
	return joined
}

// leftBehind returns what of a removed slot's lead stays: the comments that a
// blank line separates from it, and one blank line unless another one follows.
func leftBehind(lead []byte, blankFollows bool) []byte {
	kept := 0
	for i := 0; i < len(lead); {
		end := skipSpace(lead, i)
		if n, firstEnd := breaks(lead[i:end]); n > 1 {
			kept = i
			if !blankFollows {
				kept = i + firstEnd
			}
		}
		i = end
		if i < len(lead) {
			i = skipComment(lead, i)
		}
	}
	return lead[:kept]
}

// collapse closes up a body that has become empty, unless comments are in it.
func (b *body) collapse() {
	if !hasComment(b.tail.b) && !hasComment(b.head.b) {
		b.head.b = b.head.b[:1]
		b.tail = frag{}
	}
}

// replace puts content in the place of the value at a spot.
func (w *work) replace(at spot, content content) {
	if w.editing != nil && w.refit(at, content) {
		return
	}
	w.put(at, content)
}

// put replaces the value at a spot as a whole.
func (w *work) put(at spot, content content) {
	fitted := w.valueOf(content, w.fitReplacement(content, at))
	if at.in == nil {
		w.replaceRoot(fitted)
		return
	}
	at.in.settle()
	at.in.changed = true
	at.it.slot.val = fitted
}

// replaceRoot keeps what stands around the root.
func (w *work) replaceRoot(v *value) {
	if w.root.src.doc {
		w.suffix = w.src.frag(w.root.end(), len(w.src.raw))
	}
	w.root = v
	if v.isContainer() && !w.style().known {
		w.learn(v.src.blank)
	}
}
