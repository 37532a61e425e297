package jsonpatch

import (
	"hash/maphash"
	"math"
	"slices"
)

// Revise makes r the document's value as a careful editor does it: what is equal
// stays as it is, members stay in their place, comments stay with their element, and
// what is new is written as [Document.Edit] does. New members come behind those
// that precede them in r. A member that r has under another name, but in the same
// text, is renamed where it is.
func (d *Document) Revise(r Revision, s Style, lim Limits) (Edited, error) {
	lim = lim.orDefault()
	if size := int64(len(r.Text)); size > lim.MaxBytes {
		return Edited{}, exceeded("the length of the value in bytes", size, lim.MaxBytes)
	}
	repeats, err := validateLoose(r.Text, r.Text, lim)
	if err == nil && repeats && !d.repeats() {
		err = validate(r.Text, r.Text, lim) // what the document hasn't got is not brought into it
	}
	if err != nil {
		return Edited{}, err
	}
	w := newWork(d, lim)
	w.editing, w.styledBy = &s, true
	at, err := w.walk(nil)
	if err != nil {
		return Edited{}, err
	}
	c := content{text: r.Text, takes: r.Taken}
	if c.takes == nil {
		c.takes = takes{} // nobody has laid it out
	}
	done, err := w.revise(at, c, r.Kin)
	if err != nil {
		return Edited{}, err
	}
	if !done {
		if c.jsonc = d.Syntax() == JSONC; !isOpen(c.text) {
			c.jsonc = false
		}
		w.put(at, c)
	}
	return w.edited()
}

// refit makes a container into another of its kind within its own text. It reports
// false where that has nothing to keep.
func (w *work) refit(at spot, c content) bool {
	if c.moved || !isOpen(c.text) || at.val.kind() != c.text[0] || !isFilled(at.val) {
		return false
	}
	if c.takes == nil && holdsNewline(c.text) && !hasComments(at.val) {
		return false // it has a layout of its own
	}
	w.styledBy = true
	done, err := w.revise(at, c, nil)
	return done && err == nil
}

func hasComments(v *value) bool {
	if v.body == nil {
		hi := v.end()
		return string(v.src.raw[v.lo:hi]) != string(v.src.blank[v.lo:hi])
	}
	text := v.text()
	return len(blankTrusted(text)) > 0 && &blankTrusted(text)[0] != &text[0]
}

// A refit walks the working tree along with two trees, of its text as it was and of
// the new one.
type refit struct {
	*differ
	w    *work
	c    content
	from int         // where the old text begins in the document
	kin  map[int]int // by the place of a new value: that of what it was made of
	err  error       // a member has to change whose name is repeated
}

// revise reports false where the value has to be replaced as a whole.
func (w *work) revise(at spot, c content, kin []Kin) (bool, error) {
	old := at.val.blankText(w.doc.Syntax())
	if uint64(max(len(old), len(c.text))) > math.MaxUint32 {
		return false, nil
	}
	seed := maphash.MakeSeed()
	r := refit{differ: &differ{limit: math.MaxInt}, w: w, c: c, from: -1, kin: make(map[int]int, len(kin)+len(c.takes))}
	var err error
	if r.a, err = buildTree(old, seed); err != nil {
		//lint:ignore nilerr what is no tree is not refitted
		return false, nil
	}
	if r.b, err = buildTree(c.text, seed); err != nil {
		//lint:ignore nilerr what is no tree is not refitted
		return false, nil
	}
	r.a.repeats, r.b.repeats = w.repeats, w.repeats
	if at.val.src.doc && at.val.body == nil {
		r.from = at.val.lo
	}
	for _, k := range kin {
		r.kin[k.Lo-c.lo] = k.At
	}
	for _, t := range c.takes {
		if t.At >= 0 {
			r.kin[t.Lo-c.lo] = t.At
		}
	}
	r.pairing = min(8*(len(r.a.nodes)+len(r.b.nodes))+1024, maxPairing)
	return r.into(at, 0, 0), r.err
}

// step goes to a member or element.
func (r *refit) step(at spot, token string) (spot, bool) {
	next, err := at.step(token)
	if err != nil && r.err == nil {
		r.err = err
	}
	return next, err == nil
}

// into makes i, which is at a spot, into j. It reports false where nothing of i
// would stay.
func (r *refit) into(at spot, i, j uint32) bool {
	if r.same(i, j) {
		return true
	}
	kind := r.a.kind(i)
	if kind != r.b.kind(j) || (kind != '{' && kind != '[') || r.b.nodes[j].next == j+1 || r.a.nodes[i].next == i+1 {
		return false
	}
	at.val.enter()
	if kind == '{' {
		return r.members(at, i, j)
	}
	r.elements(at, r.a.children(i), r.b.children(j))
	return true
}

// become is into, but what has nothing to keep is replaced.
func (r *refit) become(at spot, i, j uint32) {
	if !r.into(at, i, j) {
		r.w.put(at, r.content(j))
	}
}

// content is a value of the new text.
func (r *refit) content(j uint32) content {
	n := &r.b.nodes[j]
	c := content{text: r.b.text[n.start:n.end], takes: r.c.takes, lo: r.c.lo + int(n.start)}
	if t := c.takes.at(c.lo); t != nil && c.lo+len(c.text) == t.Hi {
		c = content{text: t.Raw, moved: true, from: t.Indent}
	}
	c.jsonc = r.w.doc.Syntax() == JSONC
	return c
}

// madeOf is the place in the old text of what j was made of, or -1.
func (r *refit) madeOf(j uint32) int {
	at, ok := r.kin[int(r.b.nodes[j].start)]
	if !ok || r.from < 0 {
		return -1
	}
	return at - r.from
}

// members makes an object into another.
func (r *refit) members(at spot, i, j uint32) bool {
	in, out := r.a.children(i), r.b.children(j)
	if in = r.visible(in, out); !r.sameRepeated(in, out) {
		return false
	}
	partner := r.differ.members(in, out)
	back := make([]int, len(out))
	for m := range back {
		back[m] = -1
	}
	for n, m := range partner {
		if m >= 0 {
			back[m] = n
		}
	}
	renamed := r.renamed(in, out, partner, back)
	if !slices.ContainsFunc(back, func(n int) bool { return n >= 0 }) {
		return false
	}
	for m, n := range renamed {
		if next, ok := r.step(at, r.a.memberName(in[n])); ok {
			r.w.renameTo(next, r.b.memberName(out[m]), r.spelling(out[m]))
		}
	}
	for n, m := range partner {
		if m < 0 || r.same(in[n], out[m]) {
			continue
		}
		if next, ok := r.step(at, r.b.memberName(out[m])); ok {
			r.become(next, in[n], out[m])
		}
	}
	for m, c := range out {
		if back[m] < 0 {
			r.newMember(at, out, m, c)
		}
	}
	for n, m := range partner {
		if m >= 0 {
			continue
		}
		if next, ok := r.step(at, r.a.memberName(in[n])); ok {
			r.w.remove(next)
		}
	}
	return true
}

// renamed pairs members that are gone with new ones that are the same value: by
// where that comes from or, where nobody says, by their place.
func (r *refit) renamed(in, out []uint32, partner, back []int) map[int]int {
	found := map[int]int{}
	for n, m := range partner {
		if m >= 0 {
			continue
		}
		for m := range out {
			if back[m] >= 0 || !r.same(in[n], out[m]) {
				continue
			}
			from := r.madeOf(out[m])
			if from >= 0 && from != int(r.a.nodes[in[n]].start) || from < 0 && !r.beside(n, m, partner) {
				continue
			}
			partner[n], back[m], found[m] = m, n, n
			break
		}
	}
	return found
}

// beside tells whether a member that is gone and a new one follow the same member.
func (r *refit) beside(n, m int, partner []int) bool {
	if len(r.kin) > 0 {
		return false // it is known where values come from
	}
	if n == 0 || m == 0 {
		return n == m
	}
	return partner[n-1] == m-1
}

// spelling is a member's name as the new text spells it.
func (r *refit) spelling(j uint32) []byte {
	start := int(r.b.nodes[j].name)
	return r.b.text[start:skipString(r.b.text, start)]
}

// newMember adds a member behind the one that precedes it in the new text.
func (r *refit) newMember(at spot, out []uint32, m int, j uint32) {
	b := at.val.body
	b.scanAll()
	b.settle()
	name := r.b.memberName(j)
	c := r.content(j)
	c.name = r.spelling(j)
	next := r.w.memberPlace(b, name)
	if b.order == nil {
		if m == 0 {
			next = b.first
		} else if prev := b.named(r.b.memberName(out[m-1])); prev != nil {
			next = prev.next
		}
	}
	r.w.insert(at, name, c, next)
	b.cur = nil
}
