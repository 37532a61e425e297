package jsonpatch

import "bytes"

// A slot's own comments are those above it, up to a blank line, and those behind it
// on its line. They go where it goes.

// undress is content with the comments of the slot that it is taken from.
func undress(c content, at spot) content {
	at.in.settle()
	s := at.it.slot
	c.lead, c.trail = ownLead(s.lead.b), ownTrail(s)
	return c
}

// ownLead is the part of a lead from the first of the slot's own comments on.
func ownLead(lead []byte) []byte {
	own := lead[len(leftBehind(lead, true)):]
	if !hasComment(own) {
		return nil
	}
	return own[skipSpace(own, 0):]
}

// ownTrail are the comments behind a slot's value.
func ownTrail(s *slot) []byte {
	after := bytes.TrimRight(s.after(), " \t\r\n")
	if !hasComment(after) {
		return nil
	}
	return after
}

// dress gives a new slot the comments of the one that it was.
func (w *work) dress(at spot, it *item, c content) {
	s := it.slot
	w.styledBy = w.styledBy || c.lead != nil || c.trail != nil
	if c.lead != nil {
		indent := at.indent
		if hasNewline(s.lead.b) {
			indent = lineIndent(s.lead.b)
		}
		space := bytes.Clone(s.lead.b)
		if !hasNewline(s.lead.b) && endsInLineComment(c.lead[:len(bytes.TrimRight(c.lead, " \t\r\n"))]) {
			space = []byte(w.style().newline + w.bounded(indent))
		}
		s.lead = frag{append(space, reindent(c.lead, indent)...), -1}
	}
	if c.trail == nil {
		return
	}
	if s.hasComma() {
		s.trail = frag{c.trail, -1}
	} else {
		s.post = frag{c.trail, -1}
	}
	w.endLine(at, it)
}

// endLine makes sure that a line ends behind an item whose comments need that.
func (w *work) endLine(at spot, it *item) {
	b := at.val.body
	if !endsInLineComment(it.slot.after()) {
		return
	}
	line := w.style().newline + w.bounded(at.indent)
	if it.next == nil {
		if !startsLine(b.tail.b) {
			b.tail = frag{append([]byte(line), bytes.TrimLeft(b.tail.b, " \t")...), -1}
		}
		return
	}
	if next := b.openFirst(it.next); !startsLine(next.lead.b) {
		next.lead = frag{append([]byte(line+w.unitAt(at)), bytes.TrimLeft(next.lead.b, " \t")...), -1}
	}
}

// reindent gives the lines of comments another indent.
func reindent(comments []byte, indent string) []byte {
	var out []byte
	for len(comments) > 0 {
		n := bytes.IndexAny(comments, "\r\n")
		if n < 0 {
			return append(out, comments...)
		}
		n += breakLength(comments, n)
		out = append(out, comments[:n]...)
		comments = comments[n:]
		rest := bytes.TrimLeft(comments, " \t")
		if len(rest) == 0 || !isNewline(rest[0]) {
			out = append(out, indent...)
		}
		if bytes.HasPrefix(rest, []byte("*")) {
			out = append(out, ' ') // within a block
		}
		comments = rest
	}
	return out
}

// rename moves a member within its object: it stays where it is, with another name.
func (w *work) rename(at spot, op Operation) bool {
	last := len(op.From) - 1
	if last < 0 || len(op.Path) != len(op.From) || !op.Path[:last].HasPrefix(op.From[:last]) || at.in.kind != '{' {
		return false
	}
	name := op.Path[last]
	if at.in.named(name) != nil {
		return false
	}
	w.styledBy = true
	quoted := quoteName(name).b
	if op.Slot != nil && op.Slot.Name != nil {
		quoted = op.Slot.Name
	}
	w.renameTo(at, name, quoted)
	return true
}

func (w *work) renameTo(at spot, name string, quoted []byte) {
	b, s := at.in, at.it.slot
	if b.names != nil {
		delete(b.names, unquote(s.name.b))
		b.names[name] = at.it
	}
	s.name = frag{quoted, -1}
	b.changed, b.judged, b.placed = true, false, nil
}

// placeInRow corrects the space before a new element of an array whose elements
// stand in rows: it goes on with the row, and begins a new one behind a full one.
func (w *work) placeInRow(at spot, s *slot, prev, next *item) {
	b := at.val.body
	row := b.rowLength()
	if row < 2 {
		return
	}
	w.styledBy = true
	if next != nil {
		if lead := b.openFirst(next).lead.b; !hasNewline(lead) {
			s.lead = newFrag(w.bounded(spaceOf(lead)))
		}
		return
	}
	inRow := 1
	for it := prev; it != nil && inRow <= row; it = it.prev {
		it = b.openLast(it)
		if hasNewline(it.slot.lead.b) {
			break
		}
		inRow++
	}
	first := b.openFirst(b.first)
	if inRow >= row {
		s.lead = newFrag(w.bounded(spaceOf(first.lead.b)))
		return
	}
	if second := b.openFirst(b.first.next); !hasNewline(second.lead.b) {
		s.lead = newFrag(w.bounded(spaceOf(second.lead.b)))
	}
}

// rowLength is how many elements the source has in the first row of several, else 0.
func (b *body) rowLength() int {
	if b.row == 0 {
		b.row = -1
		n := 0
		for at := b.start; at < len(b.src.blank); n++ {
			pl, ok := b.locate(at)
			if !ok {
				break
			}
			if breaks := hasNewline(b.src.raw[pl.lead:pl.name]); n == 0 && !breaks {
				break
			} else if n > 0 && breaks {
				b.row = n
				break
			}
			b.complete(&pl, skipValue(b.src.blank, pl.val))
			at = pl.next
		}
	}
	return b.row
}
