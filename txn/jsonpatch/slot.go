package jsonpatch

// Slot is how a member or element stood in an earlier version of a document, for
// [Document.Edit] to put it back as it was: its own text and comments, at its old
// neighbours.
type Slot struct {
	Name        []byte   // as it was spelt, with quotes; nil in an array
	Value       []byte   // its text, perhaps with comments
	Indent      string   // of the line on which it stood
	Lead, Trail []byte   // the comments above it, and behind it
	Siblings    []string // the names of the object's members, in order
	Index       int      // of this one among them
}

// SlotsIn reads the slots of the container that begins at a byte of the text, by the
// byte at which their values begin.
func (d *Document) SlotsIn(at int) map[int]*Slot {
	src := d.source()
	v := &value{src: src, lo: at, hi: -1}
	if !v.isContainer() {
		return nil
	}
	slots := map[int]*Slot{}
	var names []string
	b := v.enter()
	indent := IndentAt(src.raw, at)
	for n, it := range b.openAll() {
		s := it.slot
		slot := &Slot{Value: s.val.text(), Indent: indent, Lead: ownLead(s.lead.b), Trail: ownTrail(s), Index: n}
		if hasNewline(s.lead.b) {
			slot.Indent = lineIndent(s.lead.b)
		}
		if b.kind == '{' {
			slot.Name = s.name.b
			names = append(names, unquote(s.name.b))
		}
		slots[s.val.lo] = slot
	}
	for _, slot := range slots {
		slot.Siblings = names
	}
	return slots
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
	for d := 1; d < len(s.Siblings); d++ {
		if i := s.Index - d; i >= 0 {
			if it := b.named(s.Siblings[i]); it != nil {
				return after(it)
			}
		}
		if i := s.Index + d; i < len(s.Siblings) {
			if it := b.named(s.Siblings[i]); it != nil {
				return it
			}
		}
	}
	return nil
}
