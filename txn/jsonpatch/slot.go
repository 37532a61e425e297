package jsonpatch

// Slot is how a member or element stood in an earlier version of a document, for
// [Document.Edit] to put it back as it was: its own text and comments, at its old
// neighbours.
type Slot struct {
	Name        []byte    // as it was spelt, with quotes; nil in an array
	Value       []byte    // its text, perhaps with comments
	Indent      string    // of the line on which it stood
	Lead, Trail []byte    // the comments above it, and behind it
	Siblings    *Contents // of the object it was in, nil in an array
	Index       int       // of this one among them
}

// Slots reads how entries of a container stood.
type Slots struct {
	body     *body
	contents *Contents
	indent   string
}

// SlotsIn is for the container that begins at a byte of the text, nil where none does.
func (d *Document) SlotsIn(at int) *Slots {
	src := d.source()
	v := &value{src: src, lo: at, hi: -1}
	if !v.isContainer() {
		return nil
	}
	return &Slots{v.enter(), ContentsOf(src.blank, at), IndentAt(src.raw, at)}
}

// At is the slot whose value begins at a byte of the text.
func (l *Slots) At(lo int) *Slot {
	b, i := l.body, l.contents.Find(lo)
	if i == l.contents.Len() {
		return nil
	}
	e := l.contents.Entry(i)
	start := b.start
	if i > 0 {
		var before place
		b.complete(&before, e.From)
		start = before.next
	}
	pl, ok := b.locate(start)
	if !ok {
		return nil
	}
	b.complete(&pl, e.Hi)
	s := b.slotAt(pl, false)
	slot := &Slot{Value: s.val.text(), Indent: l.indent, Lead: ownLead(s.lead.b), Trail: ownTrail(s), Index: i}
	if hasNewline(s.lead.b) {
		slot.Indent = lineIndent(s.lead.b)
	}
	if b.kind == '{' {
		slot.Name, slot.Siblings = s.name.b, l.contents
	}
	return slot
}

// content is what a slot gives back. A document may get its first comment so.
func (w *work) slotContent(s *Slot, c content) content {
	if s == nil {
		return c
	}
	w.comments = true
	w.repeats = w.repeats || hasRepeated(blankTrusted(s.Value))
	return content{text: s.Value, moved: true, from: s.Indent, jsonc: true, name: s.Name, lead: s.Lead, trail: s.Trail, slot: s}
}

// oldPlace is the item before which a slot that comes back goes: beside the nearest
// of its old neighbours.
func (b *body) oldPlace(s *Slot) *item {
	after := func(it *item) *item {
		if it.next == nil {
			if pl, ok := b.scanNext(); ok {
				b.pass(pl)
			}
		}
		return it.next
	}
	if s.Siblings == nil {
		return nil
	}
	for d := 1; d < s.Siblings.Len(); d++ {
		if i := s.Index - d; i >= 0 {
			if it := b.named(s.Siblings.Name(i)); it != nil {
				return after(it)
			}
		}
		if i := s.Index + d; i < s.Siblings.Len() {
			if it := b.named(s.Siblings.Name(i)); it != nil {
				return it
			}
		}
	}
	return nil
}
