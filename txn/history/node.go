package history

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
	"strconv"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// node is a value. Only those are made that somebody looks at: all else of a container
// stays text.
type node struct {
	parent *node
	key    string // in an object
	piece  *piece // in an array
	// members are those of an object that were looked at or put there: nil for one that
	// was taken out, or is not there.
	members map[string]*node
	live    int // how many of members are not nil
	elems   *elements
	kind    byte // the first byte of its text
	// by says which change set the value: what it means is the caller's.
	by int
	// inner are the later changes at the node or inside it, self those that moved or
	// replaced the node itself; slots are those of members. One change is noted once.
	inner, self []*touch
	slots       map[string][]*touch

	src    *nodeText
	lo, hi int   // the value is src.strict[lo:hi]
	home   *node // the container that it stood in there
	seek   *memberSearch
	passed int // how many bytes of an object lead through members that were looked at
}

// nodeText is what nodes are read from: strict JSON.
type nodeText struct{ strict []byte }

func rootNode(src *nodeText, by int) *node {
	lo := 0
	for lo < len(src.strict) && (src.strict[lo] <= ' ' || src.strict[lo] >= 0x80) {
		lo++ // space, and a byte order mark
	}
	return newNode(src, lo, jsonpatch.Skip(src.strict, lo), by)
}

func newNode(src *nodeText, lo, hi, by int) *node {
	n := &node{src: src, lo: lo, hi: hi, by: by}
	if lo < len(src.strict) {
		n.kind = src.strict[lo]
	}
	return n
}

func (n *node) isArray() bool  { return n.kind == '[' }
func (n *node) isObject() bool { return n.kind == '{' }

// array is what an array has, read when somebody first asks.
func (n *node) array() *elements {
	if n.elems == nil {
		n.elems = newElements(n.src.strict, n.lo)
	}
	return n.elems
}

func (n *node) length() int {
	if !n.isArray() {
		return 0
	}
	return n.array().length()
}

// child is the member or element of a name, nil where there is none.
func (n *node) child(token string) *node {
	switch {
	case n.isObject():
		return n.member(token)
	case n.isArray():
		if i, err := strconv.Atoi(token); err == nil {
			return n.array().own(i, func(number int) *node { return n.open(n.elems.text.Entry(number)) })
		}
	}
	return nil
}

// open makes a node of an entry of the text.
func (n *node) open(e jsonpatch.Entry) *node {
	child := newNode(n.src, e.Lo, e.Hi, n.by)
	child.parent, child.home = n, n
	return child
}

func (n *node) member(name string) *node {
	m, known := n.members[name]
	if known {
		return m
	}
	if n.seek == nil {
		n.seek = &memberSearch{text: n.src.strict, lo: n.lo, hi: n.hi, next: n.lo + 1}
	}
	if e, ok := n.seek.find(name); ok {
		m = n.open(e)
		m.key = name
	}
	n.setMember(name, m)
	return m
}

// setMember makes a node the member of a name, nil for none.
func (n *node) setMember(name string, m *node) {
	if n.members == nil {
		n.members = map[string]*node{}
	}
	if n.members[name] != nil {
		n.live--
	}
	if m != nil {
		n.live++
	}
	n.members[name] = m
}

// empty tells whether a container has nothing in it.
func (n *node) empty() bool {
	if n.isArray() {
		return n.length() == 0
	}
	if !n.isObject() || n.live > 0 {
		return false
	}
	for {
		e, ok := jsonpatch.Next(n.src.strict, n.lo, n.lo+1+n.passed)
		if !ok {
			return true
		}
		if _, known := n.members[jsonpatch.Unquote(e.Name)]; !known {
			return false
		}
		n.passed = e.Hi - n.lo - 1
	}
}

// text is a node's value as it is now, appended to out.
func (n *node) text(out []byte) []byte {
	if n.members == nil && n.elems == nil {
		return append(out, n.src.strict[n.lo:n.hi]...)
	}
	out = append(out, n.kind)
	first := true
	sep := func() {
		if !first {
			out = append(out, ',')
		}
		first = false
	}
	if n.isArray() {
		n.elems.each(func(p *piece) {
			for i := range p.n {
				sep()
				if p.node != nil {
					out = p.node.text(out)
				} else {
					e := n.elems.text.Entry(p.from + i)
					out = append(out, n.src.strict[e.Lo:e.Hi]...)
				}
			}
		})
		return append(out, ']')
	}
	jsonpatch.Children(n.src.strict, n.lo, func(name []byte, lo, hi int) {
		if _, known := n.members[jsonpatch.Unquote(name)]; !known {
			sep()
			out = append(append(append(out, name...), ':'), n.src.strict[lo:hi]...)
		}
	})
	for key, m := range n.members {
		if m != nil {
			sep()
			out = m.text(append(jsonpatch.AppendQuoted(out, key), ':'))
		}
	}
	return append(out, '}')
}

// copyOf is a copy of a node, as the copy operation makes it. Its values were set
// where those of n were.
func copyOf(n *node) *node {
	c := newNode(n.src, n.lo, n.hi, n.by)
	for key, m := range n.members {
		if m != nil {
			child := copyOf(m)
			child.parent, child.key = c, key
			m = child
		}
		c.setMember(key, m)
	}
	if n.elems == nil {
		return c
	}
	c.elems = &elements{text: n.elems.text}
	n.elems.each(func(p *piece) {
		if p.n == 0 {
			return
		}
		fresh := &piece{n: p.n, from: p.from}
		if p.node != nil {
			child := copyOf(p.node)
			child.parent, child.piece, fresh.node = c, fresh, child
		}
		c.elems.behind(c.elems.root, fresh)
	})
	return c
}

// memberSearch finds the members of an object in its text, starting behind the one that
// was found last. Where they are looked up in no order it makes an index.
type memberSearch struct {
	text    []byte
	lo, hi  int
	next    int // behind the value that was found last
	scanned int // bytes
	seed    maphash.Seed
	index   []hashedName
}

// hashedName is where a member begins: behind the value before it.
type hashedName struct {
	hash uint64
	from int
}

func (s *memberSearch) find(name string) (jsonpatch.Entry, bool) {
	if s.index == nil && s.scanned > 4*(s.hi-s.lo)+4096 {
		s.makeIndex()
	}
	if s.index != nil {
		return s.indexed(name)
	}
	start := s.next
	e, ok := s.scan(name, start, s.hi)
	if !ok {
		e, ok = s.scan(name, s.lo+1, start)
	}
	if ok {
		s.next = e.Hi
	}
	return e, ok
}

// scan looks at the members that begin behind text[i], up to text[end].
func (s *memberSearch) scan(name string, i, end int) (jsonpatch.Entry, bool) {
	for i < end {
		e, ok := jsonpatch.Next(s.text, s.lo, i)
		if !ok {
			break
		}
		s.scanned += e.Hi - i
		if isNamed(e.Name, name) {
			return e, true
		}
		i = e.Hi
	}
	return jsonpatch.Entry{}, false
}

func isNamed(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name
	}
	return jsonpatch.Unquote(quoted) == name
}

func (s *memberSearch) makeIndex() {
	s.seed = maphash.MakeSeed()
	for i := s.lo + 1; ; {
		e, ok := jsonpatch.Next(s.text, s.lo, i)
		if !ok {
			break
		}
		s.index = append(s.index, hashedName{maphash.String(s.seed, jsonpatch.Unquote(e.Name)), i})
		i = e.Hi
	}
	slices.SortFunc(s.index, func(a, b hashedName) int { return cmp.Compare(a.hash, b.hash) })
}

func (s *memberSearch) indexed(name string) (jsonpatch.Entry, bool) {
	h := maphash.String(s.seed, name)
	i, _ := slices.BinarySearchFunc(s.index, h, func(m hashedName, h uint64) int { return cmp.Compare(m.hash, h) })
	for ; i < len(s.index) && s.index[i].hash == h; i++ {
		if e, ok := jsonpatch.Next(s.text, s.lo, s.index[i].from); ok && isNamed(e.Name, name) {
			return e, true
		}
	}
	return jsonpatch.Entry{}, false
}
