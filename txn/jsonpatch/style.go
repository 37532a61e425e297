package jsonpatch

// Style says how [Document.Edit] writes where the text around a place leaves a
// choice. The zero value is what people expect.
type Style struct {
	// Append puts a new member last also where the names are in order.
	Append bool

	// Indent is one step of indentation for a document that shows none, such as
	// "{}". Empty means two spaces.
	Indent string

	// Compact keeps a document that shows no layout on one line.
	Compact bool
}

func (s *Style) indent() string {
	if s.Indent == "" {
		return "  "
	}
	return s.Indent
}

// Edit is [Document.Apply] as a careful human editor does it. The value is the
// same; the text differs where rules of style have a say:
//
//   - a new container is written as VALUE has it where that has a line break, else
//     as its siblings of its kind are, the nearest first, else as such containers
//     mostly are in this document, else arrays of scalars on one line of at most 80
//     columns, and all else in lines;
//   - a new member of an object with four names or more in order goes to its place;
//   - a container that takes the place of one of its kind leaves the comments, the
//     rows and the layout of what stays;
//   - a member that is moved within its object is renamed where it is, and what is
//     moved elsewhere takes its comments along;
//   - a document without any layout, such as "{}", grows lines.
//
// These rules may change between versions, so what a journal replays is Apply, or
// the splices that Edit returns.
func (d *Document) Edit(p Patch, s Style, lim Limits) (Edited, error) {
	lim = lim.orDefault()
	if len(p) > lim.MaxOps {
		return Edited{}, exceeded("the number of operations", len(p), lim.MaxOps)
	}
	if len(p) == 1 && p[0].Slot == nil {
		if doc, list, done := d.replaceScalar(p, lim); done {
			return Edited{Doc: doc, Splices: list}, nil
		}
	}
	w := newWork(d, lim)
	w.editing = &s
	for i, op := range p {
		w.styledBy = w.styledBy || op.Slot != nil // of which Apply knows nothing
		if pointer, err := w.apply(op); err != nil {
			return Edited{}, &OpError{Index: i, Op: op.Op, Pointer: pointer.String(), Err: err}
		}
	}
	return w.edited()
}

// Edited is what an edit has made of a document.
type Edited struct {
	Doc     *Document
	Splices []Splice

	// Styled tells that a rule of style had a say, so that Apply may give another
	// text.
	Styled bool
}

func (w *work) edited() (Edited, error) {
	doc, list, err := w.finish()
	return Edited{doc, list, w.styledBy}, err
}

// ShowsIndent tells whether a line of the document is indented more than the one
// before it, so that an edit knows by how much.
func (d *Document) ShowsIndent() bool {
	t := d.blank()
	_, ok := learnUnit(t[:min(len(t), layoutSample)])
	return ok
}

// unitAt is one step of indentation below the value at a spot: as its own lines
// show it, else as the way to it does, else as the document does.
func (w *work) unitAt(at spot) string {
	if b := at.val.body; b != nil && b.first != nil {
		lead := b.leadOf(b.first)
		if unit, ok := deeper(lineIndent(lead), at.indent); ok && hasNewline(lead) {
			return unit
		}
	}
	if at.unit != "" {
		return at.unit
	}
	return w.style().unit
}

// deeper is by what an indent exceeds another.
func deeper(indent, than string) (string, bool) {
	if len(indent) > len(than) && indent[:len(than)] == than {
		return indent[len(than):], true
	}
	return "", false
}

// leadOf is what stands before the first slot of an item.
func (b *body) leadOf(it *item) []byte {
	if it.slot != nil {
		return it.slot.lead.b
	}
	return b.src.raw[it.lo:min(max(it.lo, skipTrivia(b.src.raw, it.lo)), len(b.src.raw))]
}
