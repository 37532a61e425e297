package history

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// shape is a document as nodes: values that keep their identity while patches move
// them about, shift them in their array, or change them inside. That is what undo and
// blame ask for.
type shape struct{ root *node }

// newShape reads a strict text.
func newShape(text []byte, by int) (*shape, error) {
	root, err := buildNode(text, by)
	return &shape{root}, err
}

// shapeOf is the shape of a document.
func shapeOf(doc *jsonpatch.Document) *shape {
	return &shape{rootNode(&nodeText{doc.Blank()}, 0)}
}

func buildNode(text []byte, by int) (*node, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fmt.Errorf("there is no value")
	}
	return rootNode(&nodeText{text}, by), nil
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

// pathOf is the pointer to a node. gone is the node that was taken out, where it is
// not in the document any more.
func (s *shape) pathOf(n *node) (p jsonpatch.Pointer, gone *node) {
	for ; n.parent != nil; n = n.parent {
		c := n.parent
		switch {
		case c.isArray():
			if n.piece == nil || n.piece.node != n {
				return nil, n
			}
			p = append(p, strconv.Itoa(c.elems.index(n.piece)))
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
	switch {
	case c == nil || !c.isArray() && !c.isObject():
		return nil, fmt.Errorf("%s: nothing to put a value into", p)
	case c.isObject():
		old = c.member(token)
		c.setMember(token, n)
	case over:
		old = c.child(token)
		if old == nil {
			return nil, fmt.Errorf("%s: no such element", p)
		}
		c.elems.fill(old.piece, n)
	default:
		i := c.length()
		if token != "-" {
			if i, err = strconv.Atoi(token); err != nil || i < 0 {
				return nil, fmt.Errorf("%s: no index", p)
			}
		}
		c.array().insert(i, n)
	}
	n.parent, n.key = c, token
	return old, nil
}

// take removes a node from its container. In an array an empty place stays.
func (n *node) take() (place *piece) {
	c := n.parent
	switch {
	case c == nil:
	case c.isObject():
		c.setMember(n.key, nil)
	default:
		place = n.piece
		c.elems.fill(place, nil)
	}
	return place
}
