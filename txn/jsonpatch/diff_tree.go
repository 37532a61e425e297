package jsonpatch

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/bits"
)

// A tree is a document's values in document order, each with a hash that is the
// same for values that are Equal. A value's children follow it directly, and
// next is where its own subtree ends, so the tree needs no pointers: one slice,
// linear in the document.
type tree struct {
	text  []byte // the document with comments and trailing commas blanked
	nodes []node

	repeats bool // whether an object may have a name more than once
}

type node struct {
	hash       uint64
	nameHash   uint64 // of an object's member
	start, end uint32 // the value is text[start:end]
	name       uint32 // an object's member: where its quoted name starts
	next       uint32 // the first node behind this value's subtree
	size       uint32 // bytes of the value without insignificant whitespace
}

// treeBuilder reads a document that has been validated before, so it need not
// look for anything but where tokens end. Text that was trusted wrongly sets bad.
type treeBuilder struct {
	tree
	seed    maphash.Seed
	pos     int
	depth   int
	scratch []byte
	bad     bool
}

// buildTree expects text below 4 GiB.
func buildTree(text []byte, seed maphash.Seed) (tree, error) {
	values := 1 // at most: strings may hold such bytes as well
	for _, c := range []byte(",[{") {
		values += bytes.Count(text, []byte{c})
	}
	nodes := make([]node, 0, min(values, len(text)/2+1))
	b := treeBuilder{tree: tree{text: text, nodes: nodes}, seed: seed, pos: skipSpace(text, 0)}
	b.value()
	if b.bad {
		return tree{}, fmt.Errorf("%w: the text is not what was validated before", ErrInvalid)
	}
	return b.tree, nil
}

// value leaves pos at the next token behind the value that starts there.
func (b *treeBuilder) value() {
	i := len(b.nodes)
	start := b.pos
	b.nodes = append(b.nodes, node{start: uint32(start)})
	var h uint64
	size := 0
	switch byteAt(b.text, start) {
	case '{':
		h, size = b.container('}')
		h = mix(h, saltObject)
	case '[':
		h, size = b.container(']')
		h = mix(h, saltArray)
	case '"':
		h = b.string()
	default:
		h = b.plain()
	}
	if size == 0 {
		size = b.pos - start
	}
	n := &b.nodes[i]
	n.hash, n.end, n.next, n.size = h, uint32(b.pos), uint32(len(b.nodes)), uint32(size)
	b.pos = skipSpace(b.text, b.pos)
}

// container reads a container's children. It adds members' hashes up, so that
// their order does not count, and chains elements'.
func (b *treeBuilder) container(end byte) (h uint64, size int) {
	b.depth++
	defer func() { b.depth-- }()
	size = 1
	more := b.depth <= maxParserDepth
	b.bad = b.bad || !more
	for b.pos = skipSpace(b.text, b.pos+1); more && byteAt(b.text, b.pos) != end; {
		i := uint32(len(b.nodes))
		if end == '}' {
			size += b.member()
			h += b.childHash(i)
		} else {
			b.value()
			h = mix(h, b.nodes[i].hash)
		}
		size += int(b.nodes[i].size) + 1
		switch byteAt(b.text, b.pos) {
		case ',':
			b.pos = skipSpace(b.text, b.pos+1)
		case end:
		default:
			b.bad, more = true, false
		}
	}
	b.pos = min(b.pos+1, len(b.text))
	return h, max(size, 2)
}

// member reads a name and its value, and returns the length of the name and the
// colon.
func (b *treeBuilder) member() int {
	name := b.pos
	if byteAt(b.text, name) != '"' {
		b.bad = true
	}
	h := b.string()
	size := b.pos - name + 1
	b.pos = skipSpace(b.text, skipSpace(b.text, b.pos)+1)
	i := len(b.nodes)
	b.value()
	b.nodes[i].name, b.nodes[i].nameHash = uint32(name), h
	return size
}

// string hashes what the string says, not how it is spelt.
func (b *treeBuilder) string() uint64 {
	start := b.pos
	b.pos = skipString(b.text, start)
	quoted := b.text[min(start, b.pos):b.pos]
	if len(quoted) < 2 || quoted[len(quoted)-1] != '"' {
		b.bad = true
		return 0
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return maphash.Bytes(b.seed, quoted[1:len(quoted)-1])
	}
	b.scratch = appendUnquoted(b.scratch[:0], quoted)
	return maphash.Bytes(b.seed, b.scratch)
}

// plain hashes null, true, false or a number.
func (b *treeBuilder) plain() uint64 {
	start := b.pos
	b.pos = skipValue(b.text, start)
	lit := b.text[min(start, b.pos):b.pos]
	if len(lit) == 0 {
		b.bad = true
		return 0
	}
	switch lit[0] {
	case 'n', 't', 'f':
		return mix(saltWord, uint64(lit[0]))
	}
	return b.number(lit)
}

// number hashes a number's value: sign, digits without outer zeros, and the
// exponent of the last digit. Where that exponent is beyond all use it is left
// out, which costs a collision and nothing else.
func (b *treeBuilder) number(lit []byte) uint64 {
	digits, exp := b.scratch[:0], int64(0)
	sign, point := uint64(0), false
scan:
	for i, c := range lit {
		switch {
		case c == '-':
			sign = 1
		case c == '.':
			point = true
		case c == 'e' || c == 'E':
			exp += exponent(lit[i+1:])
			break scan
		default:
			if point {
				exp--
			}
			if c != '0' || len(digits) > 0 {
				digits = append(digits, c)
			}
		}
	}
	b.scratch = digits
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exp++
	}
	if len(digits) == 0 {
		return saltNumber
	}
	if exp > hugeExponent || exp < -hugeExponent {
		exp = 0
	}
	return mix(maphash.Bytes(b.seed, digits)^sign, saltNumber+uint64(exp))
}

// hugeExponent is far above any document's length, and far below where int64
// ends, so that moving the decimal point can't carry a number across both.
const hugeExponent = 1 << 56

// exponent reads the signed digits behind an e and stops growing at 4 times
// hugeExponent.
func exponent(lit []byte) int64 {
	var e int64
	for _, c := range lit {
		if c >= '0' && c <= '9' && e < 4*hugeExponent {
			e = e*10 + int64(c-'0')
		}
	}
	if len(lit) > 0 && lit[0] == '-' {
		return -e
	}
	return e
}

const (
	saltObject = 0x9e3779b97f4a7c15
	saltArray  = 0xc2b2ae3d27d4eb4f
	saltWord   = 0x165667b19e3779f9
	saltNumber = 0x27d4eb2f165667c5
)

// mix joins two hashes; the order of its arguments counts.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, bits.RotateLeft64(b, 31)^0xe7037ed1a0b428db)
	return (hi ^ lo) + b
}

func (t *tree) kind(i uint32) byte { return t.text[t.nodes[i].start] }

func (t *tree) raw(i uint32) []byte { n := &t.nodes[i]; return t.text[n.start:n.end] }

// memberName returns the unquoted name of a member.
func (t *tree) memberName(i uint32) string {
	start := int(t.nodes[i].name)
	return unquote(t.text[start:skipString(t.text, start)])
}

// childHash is the hash of a value with its name, if it has one.
func (t *tree) childHash(i uint32) uint64 {
	n := &t.nodes[i]
	if n.name == 0 {
		return n.hash
	}
	return mix(n.nameHash, n.hash)
}

// children returns the values directly below i.
func (t *tree) children(i uint32) []uint32 {
	n := 0
	for j := i + 1; j < t.nodes[i].next; j = t.nodes[j].next {
		n++
	}
	c := make([]uint32, 0, n)
	for j := i + 1; j < t.nodes[i].next; j = t.nodes[j].next {
		c = append(c, j)
	}
	return c
}
