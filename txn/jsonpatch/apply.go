package jsonpatch

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Apply makes the operations of p one after the other (RFC 6902, section 3) and
// returns the new document and the splices that lead to it. Every byte outside
// of the splices stays. If an operation fails, nothing is changed and the error
// is an *[OpError]. The same patch on the same bytes always gives the same bytes.
//
// The values of p are validated here too. A patch that changes nothing returns
// d itself and no splices.
func (d *Document) Apply(p Patch, lim Limits) (*Document, []Splice, error) {
	lim = lim.orDefault()
	if len(p) > lim.MaxOps {
		return nil, nil, exceeded("the number of operations", len(p), lim.MaxOps)
	}
	if doc, list, done := d.replaceScalar(p, lim); done {
		return doc, list, nil
	}
	w := newWork(d, lim)
	for i, op := range p {
		if pointer, err := w.apply(op); err != nil {
			return nil, nil, &OpError{Index: i, Op: op.Op, Pointer: pointer.String(), Err: err}
		}
	}
	return w.finish()
}

// AppendApply is [Document.Apply] for who wants the text alone: it is appended to dst,
// which must not be memory of the document. So who applies patches to one document
// after the other needs no fresh memory for each. With an error dst is returned as it
// was.
func (d *Document) AppendApply(dst []byte, p Patch, lim Limits) ([]byte, error) {
	if c := d.scalarChange(p, lim.orDefault()); c.found && len(p) <= lim.orDefault().MaxOps {
		dst = append(dst, d.raw[:c.lo]...)
		dst = append(dst, c.text...)
		return append(dst, d.raw[c.hi:]...), nil
	}
	after, _, err := d.Apply(p, lim)
	if err != nil {
		return dst, err
	}
	return append(dst, after.raw...), nil
}

// apply makes one operation. With an error it returns the pointer at fault.
func (w *work) apply(op Operation) (Pointer, error) {
	switch op.Op {
	case "add", "replace", "test":
		c, err := given(op, w.lim)
		if err != nil {
			return op.Path, err
		}
		w.repeats = w.repeats || c.repeats
		if w.editing != nil && op.Op != "test" {
			c = w.slotContent(op.Slot, c)
		}
		switch op.Op {
		case "add":
			err = w.add(op.Path, c)
		case "replace":
			err = w.replaceAt(op.Path, c)
		default:
			err = w.test(op.Path, c.text)
		}
		return op.Path, err
	case "remove":
		return op.Path, w.removeAt(op.Path)
	case "move":
		return w.move(op)
	case "copy":
		return w.copy(op)
	}
	return op.Path, fmt.Errorf("%w: unknown operation %q", ErrPatch, op.Op)
}

// given returns the value of an operation, after validating it.
func given(op Operation, lim Limits) (content, error) {
	if op.Value == nil {
		return content{}, fmt.Errorf("%w: the value is missing", ErrPatch)
	}
	if size := int64(len(op.Value)); size > lim.MaxBytes {
		return content{}, exceeded("the length of the value in bytes", size, lim.MaxBytes)
	}
	// A whole number, the value of most counters, needs no parser: to set one up
	// costs as much as to find the place in a small document.
	repeats := false
	if !isWhole(op.Value) && !jsontext.Value(op.Value).IsValid() {
		if !isValue(op.Value) {
			return content{}, fmt.Errorf("the value: %w", explain(op.Value, op.Value, 0, lim.MaxDepth))
		}
		if repeats = hasRepeated(op.Value); repeats && !lim.Loose {
			return content{}, fmt.Errorf("the value: %w", validate(op.Value, op.Value, lim))
		}
	}
	c := content{text: bytes.TrimSpace(op.Value), repeats: repeats}
	if op.Op == "test" {
		return c, nil
	}
	return c, checkDepth(op.Path, c.text, lim)
}

// checkDepth refuses a value that would be nested too deeply at p.
func checkDepth(p Pointer, text []byte, lim Limits) error {
	// A scalar makes nothing deeper than the containers that it is put into.
	if !isOpen(text) || depthOver(text, lim.MaxDepth-len(p)) < 0 {
		return nil
	}
	return fmt.Errorf("%w: the result would be nested more than %d containers deep", ErrLimit, lim.MaxDepth)
}

// add is RFC 6902, section 4.1.
func (w *work) add(p Pointer, c content) error {
	if len(p) == 0 {
		return w.replaceAt(p, c)
	}
	dir, token := p[:len(p)-1], p[len(p)-1]
	at, err := w.walk(dir)
	if err != nil {
		return err
	}
	switch at.val.kind() {
	case '{':
		return w.addMember(at, token, c)
	case '[':
		if err := w.addElement(at, token, c); err != nil {
			return notFoundAt(dir, err)
		}
		return nil
	}
	return notFoundAt(dir, fmt.Errorf("%s has no members", kindName(at.val.kind())))
}

func (w *work) addMember(at spot, name string, c content) error {
	b := at.val.enter()
	if b.named(name) != nil {
		next, err := at.step(name)
		if err != nil {
			return err
		}
		w.replace(next, c)
		return nil
	}
	if b.broken {
		return errBroken
	}
	if !isText(name) {
		return fmt.Errorf("%w: the name %q is not UTF-8", ErrPointer, name)
	}
	var next *item
	if c.slot != nil {
		next = b.oldPlace(c.slot)
	} else {
		next = w.memberPlace(b, name)
	}
	w.insert(at, name, c, next)
	b.cur = nil
	return nil
}

func (w *work) addElement(at spot, token string, c content) error {
	b := at.val.enter()
	if token == "-" {
		b.scanAll()
		w.insert(at, "", c, nil)
		b.cur = nil
		return nil
	}
	i, ok := arrayIndex(token)
	if !ok {
		return fmt.Errorf("%q is not an array index", token)
	}
	next := b.at(i)
	if next == nil && b.n != i {
		return b.missing(fmt.Errorf("index %d is not in the array of %d", i, b.n))
	}
	b.cur, b.base = w.insert(at, "", c, next), i
	return nil
}

// replaceAt is RFC 6902, section 4.3.
func (w *work) replaceAt(p Pointer, c content) error {
	at, err := w.walk(p)
	if err == nil {
		w.replace(at, c)
	}
	return err
}

// removeAt is RFC 6902, section 4.2.
func (w *work) removeAt(p Pointer) error {
	if len(p) == 0 {
		return fmt.Errorf("%w: a text can't be without its root value", ErrPatch)
	}
	at, err := w.walk(p)
	if err == nil {
		w.remove(at)
	}
	return err
}

// move is RFC 6902, section 4.4.
func (w *work) move(op Operation) (Pointer, error) {
	at, err := w.walk(op.From)
	if err != nil {
		return op.From, err
	}
	if op.Path.HasPrefix(op.From) {
		if len(op.Path) == len(op.From) {
			return nil, nil
		}
		return op.Path, fmt.Errorf("%w: %q can't be moved into itself", ErrPatch, op.From.String())
	}
	c := w.taken(at)
	if err := checkDepth(op.Path, c.text, w.lim); err != nil {
		return op.Path, err
	}
	if w.editing != nil {
		if w.rename(at, op) {
			return nil, nil
		}
		c = undress(c, at)
		if op.Slot != nil {
			c.slot, c.name = op.Slot, op.Slot.Name
		}
	}
	w.remove(at)
	return op.Path, w.add(op.Path, c)
}

// copy is RFC 6902, section 4.5.
func (w *work) copy(op Operation) (Pointer, error) {
	at, err := w.walk(op.From)
	if err != nil {
		return op.From, err
	}
	c := w.taken(at)
	w.copied += int64(len(c.text))
	if w.copied > w.lim.MaxCopyBytes {
		return op.From, exceeded("the number of bytes copied", w.copied, w.lim.MaxCopyBytes)
	}
	if err := checkDepth(op.Path, c.text, w.lim); err != nil {
		return op.Path, err
	}
	return op.Path, w.add(op.Path, c)
}

// taken returns the value at a spot, to be put elsewhere.
func (w *work) taken(at spot) content {
	return content{
		text:  at.val.text(),
		moved: true,
		from:  at.indent,
		jsonc: w.doc.Syntax() == JSONC,
	}
}

// test is RFC 6902, section 4.6.
func (w *work) test(p Pointer, want []byte) error {
	at, err := w.walk(p)
	if err != nil {
		return err
	}
	have := at.val.blankText(w.doc.Syntax())
	if !equalText(have, want) {
		return fmt.Errorf("%w: found %s, expected %s", ErrTest, shorten(have), shorten(want))
	}
	return nil
}

// blankText returns the value as it is now, without comments.
func (v *value) blankText(s Syntax) []byte {
	if v.body == nil {
		return v.src.blank[v.lo:v.end()]
	}
	if s == Strict {
		return v.text()
	}
	return blankTrusted(v.text())
}

// shorten cuts a value for a message.
func shorten(text []byte) string {
	const most = 60
	out := Compact(text[:min(len(text), 4*most)])
	if len(out) > most || len(text) > 4*most {
		out = append(bytes.ToValidUTF8(out[:min(len(out), most)], nil), "…"...)
	}
	return string(out)
}

// finish makes the new document.
func (w *work) finish() (*Document, []Splice, error) {
	var out render
	out.put(w.prefix)
	if !out.value(w.root, len(w.src.raw)) {
		suffix := w.suffix
		if w.root.src.doc {
			suffix = w.src.frag(w.root.end(), len(w.src.raw))
		}
		out.put(suffix)
	}
	if out.size > w.lim.MaxBytes {
		return nil, nil, exceeded("the length of the result in bytes", out.size, w.lim.MaxBytes)
	}
	text := out.bytes()
	list := splices(w.src.raw, text, out.frags)
	if len(list) == 0 {
		return w.doc, nil, nil
	}
	syntax := w.doc.Syntax()
	if w.comments || w.repeats {
		syntax = JSONC // which is a matter of the text, to be looked at
	}
	return Trusted(text, syntax), list, nil
}
