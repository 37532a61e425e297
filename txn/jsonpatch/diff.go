package jsonpatch

import (
	"bytes"
	"hash/maphash"
	"math"
	"strconv"
)

// keepFactor is how much longer than a replacement the edits inside a container
// may be. A replacement takes the container's layout, key order, number
// literals and comments with it, edits leave them alone, so edits are worth some
// bytes; but not any number, or a patch could grow far beyond the document.
const keepFactor = 4

// Diff returns an RFC 6902 patch that turns a into b by value. It says nothing
// of a different member order, which RFC 6902 can't express, nor of a different
// spelling of the same string or number.
//
// Removals and changes come in a's order, additions in b's. The patch is at most
// about keepFactor times as long as one operation that replaces the root. Time
// and memory are linear in the documents, with a bounded allowance for aligning
// array elements that were moved or edited.
func Diff(a, b *Document) (Patch, error) {
	ta, tb := a.text(), b.text()
	if bytes.Equal(ta, tb) {
		return nil, nil
	}
	if uint64(max(len(ta), len(tb))) > math.MaxUint32 {
		return Patch{{Op: "replace", Path: Pointer{}, Value: Compact(tb)}}, nil
	}
	d := &differ{limit: math.MaxInt}
	if !a.repeats() && !b.repeats() {
		d.path, ta, tb = innermost(ta, tb)
		for _, token := range d.path {
			d.pathSize += 1 + textSize(token)
		}
	}
	seed := maphash.MakeSeed()
	var err error
	if d.a, err = buildTree(ta, seed); err != nil {
		return nil, err
	}
	if d.b, err = buildTree(tb, seed); err != nil {
		return nil, err
	}
	d.a.repeats, d.b.repeats = a.repeats(), b.repeats()
	d.pairing = min(8*(len(d.a.nodes)+len(d.b.nodes))+1024, maxPairing)
	d.value(0, 0)
	return d.ops, nil
}

// maxPairing bounds what is spent on finding edited array elements again, in
// steps of some nanoseconds and in table cells of 16 bytes.
const maxPairing = 1 << 21

// A differ walks two trees at once. Places in a and b are node numbers.
type differ struct {
	a, b tree
	ops  Patch
	size int // of ops, as text

	path     Pointer // where the walk is
	pathSize int     // of path, as text

	// limit is the size at which a container further up will be replaced
	// anyway, so that a walk need not go on.
	limit int

	// pairing is how many more children may be looked at to find which of an
	// array's removed elements became which of the added ones.
	pairing int
}

// value makes i into j, and tells whether anything of i stays.
func (d *differ) value(i, j uint32) (kept bool) {
	if d.same(i, j) {
		return true
	}
	ops, size, limit := len(d.ops), d.size, d.limit
	whole := d.opSize("replace", j)
	d.limit = min(limit, size+keepFactor*whole)
	switch kind := d.a.kind(i); {
	case kind != d.b.kind(j):
	case kind == '{':
		kept = d.object(i, j)
	case kind == '[':
		kept = d.array(i, j)
	}
	d.limit = limit
	allowed := whole
	if kept {
		allowed *= keepFactor
	}
	if len(d.ops) == ops || d.size-size > allowed {
		clear(d.ops[ops:])
		d.ops, d.size, kept = d.ops[:ops], size, false
		d.emit("replace", d.path, j)
	}
	return kept
}

// same trusts no hash: two values with the same one are compared.
func (d *differ) same(i, j uint32) bool {
	if d.a.nodes[i].hash != d.b.nodes[j].hash {
		return false
	}
	x, y := d.a.raw(i), d.b.raw(j)
	return bytes.Equal(x, y) || Equal(x, y)
}

// full tells that the operations are too many for a container further up.
func (d *differ) full() bool { return d.size > d.limit }

// object reports whether a name of i is in j too: then i's order of names stays. Where
// one that is repeated would have to change it does nothing, and the object is replaced.
func (d *differ) object(i, j uint32) (kept bool) {
	in := d.a.children(i)
	out := d.b.children(j)
	if !d.sameRepeated(in, out) {
		return false
	}
	partner := d.members(in, out)
	taken := make([]bool, len(out))
	for n, c := range in {
		if d.full() {
			return kept
		}
		name := d.a.memberName(c)
		m := partner[n]
		if m < 0 {
			d.at(name, func() { d.emit("remove", d.path, 0) })
			continue
		}
		kept, taken[m] = true, true
		if d.a.nodes[c].hash == d.b.nodes[out[m]].hash && d.same(c, out[m]) {
			continue
		}
		d.at(name, func() { d.value(c, out[m]) })
	}
	for n, c := range out {
		if !taken[n] && !d.full() {
			d.at(d.b.memberName(c), func() { d.emit("add", d.path, c) })
		}
	}
	return kept
}

// members finds for each member in the index of the one with its name in out,
// or -1. Names usually come in the same order, so each is looked for first
// behind the one before.
func (d *differ) members(in, out []uint32) []int {
	partner := make([]int, len(in))
	var byName map[string]int
	next := 0
	nameIn, nameOut := d.a.names(in), d.b.names(out)
	for n := range in {
		name := nameIn(n)
		if next < len(out) && nameOut(next) == name {
			partner[n] = next
			next++
			continue
		}
		if byName == nil {
			byName = make(map[string]int, len(out))
			for m := range out {
				byName[nameOut(m)] = m
			}
		}
		m, ok := byName[name]
		if !ok {
			partner[n] = -1
			continue
		}
		partner[n] = m
		next = m + 1
	}
	return partner
}

// at runs f one step further down.
func (d *differ) at(token string, f func()) {
	size := d.pathSize
	d.path = append(d.path, token)
	d.pathSize += 1 + textSize(token)
	f()
	d.path = d.path[:len(d.path)-1]
	d.pathSize = size
}

// emit adds an operation; j says what value of b it carries, where it has one.
func (d *differ) emit(op string, path Pointer, j uint32) {
	o := Operation{Op: op, Path: append(Pointer{}, path...)}
	if op != "remove" {
		o.Value = Compact(d.b.raw(j))
	}
	d.ops = append(d.ops, o)
	d.size += d.opSize(op, j)
}

// opSize is the length of an operation at the present path within a patch.
func (d *differ) opSize(op string, j uint32) int {
	size := len(`{"op":"","path":""},`) + len(op) + d.pathSize
	if op != "remove" {
		size += len(`,"value":`) + int(d.b.nodes[j].size)
	}
	return size
}

// textSize is the length of a token in a pointer in a JSON string.
func textSize(token string) int {
	size := len(token)
	for i := range len(token) {
		switch c := token[i]; {
		case c == '~', c == '/', c == '"', c == '\\':
			size++
		case c < ' ':
			size += 5
		}
	}
	return size
}

func index(n int) string { return strconv.Itoa(n) }
