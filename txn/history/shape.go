package history

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// shape is a document without its scalars: what values there are and where. Each
// value is a node that keeps its identity while patches move it about, shift it
// in its array, or change it inside. That is what undo and blame ask for.
type shape struct{ root *node }

// node is a value. What is in a container is read when somebody looks into it.
type node struct {
	parent  *node
	key     string           // in an object
	members map[string]*node // of an object, else nil
	elems   []*node          // of an array
	array   bool
	// dead marks the place in an array where an element was, which is not
	// counted in its indices; holes is how many of them an array has.
	dead  bool
	holes int
	// by says which change set the value: what it means is the caller's.
	by int
	// inner are the later changes at the node or inside it, self those that moved or
	// replaced the node itself; slots are those of members. One change is noted once.
	inner, self []*touch
	slots       map[string][]*touch

	src    *nodeText
	lo, hi int // the value is src.strict[lo:hi]
	opened bool
	home   *node // the container that it stood in there
}

// nodeText is what nodes are read from.
type nodeText struct {
	strict []byte // strict JSON
	raw    []byte // the same with its comments, byte for byte at the same place
}

// newShape reads a strict text.
func newShape(text []byte, by int) (*shape, error) {
	root, err := buildNode(text, by)
	return &shape{root}, err
}

// shapeOf is the shape of a document.
func shapeOf(doc *jsonpatch.Document) *shape {
	return &shape{rootNode(&nodeText{strict: doc.Blank(), raw: doc.Bytes()}, 0)}
}

func buildNode(text []byte, by int) (*node, error) {
	if !hasValue(text) {
		return nil, fmt.Errorf("there is no value")
	}
	return rootNode(&nodeText{text, text}, by), nil
}

func hasValue(text []byte) bool { return len(bytes.TrimSpace(text)) > 0 }

func rootNode(src *nodeText, by int) *node {
	lo := 0
	for lo < len(src.strict) && (src.strict[lo] <= ' ' || src.strict[lo] >= 0x80) {
		lo++ // space, and a byte order mark
	}
	return newNode(src, lo, jsonpatch.Skip(src.strict, lo), by)
}

func newNode(src *nodeText, lo, hi, by int) *node {
	n := &node{src: src, lo: lo, hi: hi, by: by}
	if lo >= len(src.strict) {
		return n
	}
	switch src.strict[lo] {
	case '{':
		n.members = map[string]*node{}
	case '[':
		n.array = true
	}
	return n
}

// open reads what is in a container.
func (n *node) open() {
	if n.opened || !n.array && n.members == nil {
		return
	}
	n.opened = true
	jsonpatch.Children(n.src.strict, n.lo, func(name []byte, lo, hi int) {
		child := newNode(n.src, lo, hi, n.by)
		child.parent, child.home = n, n
		if n.array {
			n.elems = append(n.elems, child)
			return
		}
		child.key = jsonpatch.Unquote(name)
		n.members[child.key] = child
	})
}

// text is a node's value as it is now, appended to out.
func (n *node) text(out []byte) []byte {
	if !n.opened {
		return append(out, n.src.strict[n.lo:n.hi]...)
	}
	first := true
	sep := func() {
		if !first {
			out = append(out, ',')
		}
		first = false
	}
	if n.array {
		out = append(out, '[')
		for _, e := range n.elems {
			if !e.dead {
				sep()
				out = e.text(out)
			}
		}
		return append(out, ']')
	}
	out = append(out, '{')
	for key, m := range n.members {
		sep()
		out = m.text(append(jsonpatch.AppendQuoted(out, key), ':'))
	}
	return append(out, '}')
}

// copyOf is a copy of a node, as the copy operation makes it. Its values were set
// where those of n were.
func copyOf(n *node) *node {
	c := &node{array: n.array, by: n.by, src: n.src, lo: n.lo, hi: n.hi, opened: n.opened}
	if !n.opened {
		if n.members != nil {
			c.members = map[string]*node{}
		}
		return c
	}
	if n.members != nil {
		c.members = map[string]*node{}
		for key, m := range n.members {
			child := copyOf(m)
			child.parent, child.key = c, key
			c.members[key] = child
		}
	}
	for _, e := range n.elems {
		if !e.dead {
			child := copyOf(e)
			child.parent = c
			c.elems = append(c.elems, child)
		}
	}
	return c
}

// position is the index in elems of the i-th element that is not dead, or the
// place behind the last one.
func (n *node) position(i int) int {
	n.open()
	if n.holes == 0 {
		return min(i, len(n.elems))
	}
	for at, e := range n.elems {
		if e.dead {
			continue
		}
		if i == 0 {
			return at
		}
		i--
	}
	return len(n.elems)
}

// index counts the elements before e that are not dead.
func (n *node) index(e *node) int {
	i := 0
	for _, o := range n.elems {
		if o == e {
			break
		}
		if !o.dead {
			i++
		}
	}
	return i
}

func (n *node) length() int {
	n.open()
	return len(n.elems) - n.holes
}

// at finds the node at a pointer, nil where there is none.
func (s *shape) at(p jsonpatch.Pointer) *node {
	n := s.root
	for _, token := range p {
		if n == nil {
			return nil
		}
		n = n.child(token)
	}
	return n
}

func (n *node) child(token string) *node {
	n.open()
	if !n.array {
		return n.members[token]
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 {
		return nil
	}
	if at := n.position(i); at < len(n.elems) {
		return n.elems[at]
	}
	return nil
}

// pathOf is the pointer to a node. ok is false where it is not in the document
// any more; gone is then the node that was taken out.
func (s *shape) pathOf(n *node) (p jsonpatch.Pointer, gone *node) {
	for ; n.parent != nil; n = n.parent {
		c := n.parent
		switch {
		case c.array:
			if n.dead || !slices.Contains(c.elems, n) {
				return nil, n
			}
			p = append(p, strconv.Itoa(c.index(n)))
		case c.members[n.key] != n:
			return nil, n
		default:
			p = append(p, n.key)
		}
	}
	if n != s.root {
		return nil, n
	}
	slices.Reverse(p)
	return p, nil
}

// put makes n the value at p: it takes the place of the value there, which is
// returned, or is added. Into an array it is inserted, unless over is true.
func (s *shape) put(p jsonpatch.Pointer, n *node, over bool) (old *node, err error) {
	if len(p) == 0 {
		old, s.root = s.root, n
		n.parent, n.key = nil, ""
		return old, nil
	}
	c, token := s.at(p[:len(p)-1]), p[len(p)-1]
	if c != nil {
		c.open()
	}
	switch {
	case c == nil || !c.array && c.members == nil:
		return nil, fmt.Errorf("%s: nothing to put a value into", p)
	case !c.array:
		old = c.members[token]
		c.members[token] = n
	case over:
		old = c.child(token)
		if old == nil {
			return nil, fmt.Errorf("%s: no such element", p)
		}
		c.elems[slices.Index(c.elems, old)] = n
	default:
		i := len(c.elems)
		if token != "-" {
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 {
				return nil, fmt.Errorf("%s: no index", p)
			}
			i = c.position(index)
		}
		c.elems = slices.Insert(c.elems, i, n)
	}
	n.parent, n.key = c, token
	return old, nil
}

// take removes a node from its container. In an array a dead node keeps its place
// where that is wanted.
func (n *node) take(keepPlace bool) (place *node) {
	c := n.parent
	switch {
	case c == nil:
	case !c.array:
		delete(c.members, n.key)
	default:
		i := slices.Index(c.elems, n)
		if !keepPlace {
			c.elems = slices.Delete(c.elems, i, i+1)
			break
		}
		place = &node{parent: c, dead: true}
		c.elems[i] = place
		c.holes++
	}
	return place
}
