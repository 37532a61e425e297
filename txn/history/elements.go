package history

import "github.com/jtx-project/jtx/txn/jsonpatch"

// elements are those of an array, in order: nodes, and between them runs of elements
// that nobody has looked at, which stay text. They are a splay tree: finding the i-th,
// counting those before one, and putting one in take time in proportion to the logarithm
// of how many pieces there are, in the mean.
type elements struct {
	root *piece
	text *jsonpatch.Contents // that runs number
}

// piece is a node, a run, or the place where an element was.
type piece struct {
	up, left, right *piece
	n               int   // how many elements it is: 0 for a place where one was
	sum             int   // with those below it
	node            *node // nil for a run, and for a place where an element was
	from            int   // of a run: the number of its first element in the text
}

// newElements are those of an array in a text.
func newElements(text []byte, at int) *elements {
	c := jsonpatch.ContentsOf(text, at)
	e := &elements{text: c}
	if n := c.Len(); n > 0 {
		e.root = &piece{n: n, sum: n}
	}
	return e
}

func (e *elements) length() int { return e.root.count() }

func (p *piece) count() int {
	if p == nil {
		return 0
	}
	return p.sum
}

// at is the piece of the i-th element, and how many elements of it are before that one;
// nil where there are no more than i. The piece is at the root then.
func (e *elements) at(i int) (p *piece, skipped int) {
	if i < 0 || i >= e.length() {
		return nil, 0
	}
	for p = e.root; ; {
		before := p.left.count()
		switch {
		case i < before:
			p = p.left
		case i < before+p.n:
			e.splay(p)
			return p, i - before
		default:
			i -= before + p.n
			p = p.right
		}
	}
}

// own makes a piece of its own of the i-th element, nil where there is none.
func (e *elements) own(i int, open func(number int) *node) *node {
	p, skipped := e.at(i)
	if p == nil {
		return nil
	}
	if p.node != nil {
		return p.node
	}
	number := p.from + skipped
	e.cut(p, skipped+1)
	p = e.cut(p, skipped)
	p.node = open(number)
	p.node.piece = p
	return p.node
}

// cut leaves a run, at the root, its first n elements, and returns the piece of the
// others, which is then at the root.
func (e *elements) cut(p *piece, n int) *piece {
	if n == 0 || n == p.n {
		return p
	}
	rest := &piece{n: p.n - n, from: p.from + n}
	p.n = n
	e.behind(p, rest)
	return rest
}

// behind puts a new piece behind another, nil for before all, and at the root.
func (e *elements) behind(p, fresh *piece) {
	e.splay(p)
	fresh.left, fresh.right = p, nil
	if p == nil {
		fresh.right = e.root
	} else {
		fresh.right, p.right = p.right, nil
		p.up = fresh
		p.total()
	}
	if fresh.right != nil {
		fresh.right.up = fresh
	}
	fresh.total()
	e.root = fresh
}

// insert makes a node the i-th element, or the last one where there are fewer.
func (e *elements) insert(i int, n *node) {
	fresh := &piece{n: 1, node: n}
	n.piece = fresh
	p, skipped := e.at(i)
	switch {
	case p == nil:
		e.behind(e.end(), fresh)
	case skipped > 0:
		e.cut(p, skipped)
		e.behind(p, fresh)
	default:
		e.behind(p.left.rightmost(), fresh)
	}
}

func (e *elements) end() *piece { return e.root.rightmost() }

func (p *piece) rightmost() *piece {
	for p != nil && p.right != nil {
		p = p.right
	}
	return p
}

// fill makes a piece, that of a node or of none, that of another node, nil for none.
func (e *elements) fill(p *piece, n *node) {
	e.splay(p)
	p.node, p.n = n, 0
	if n != nil {
		n.piece, p.n = p, 1
	}
	p.total()
}

// index is how many elements are before a piece.
func (e *elements) index(p *piece) int {
	e.splay(p)
	return p.left.count()
}

// each calls f for each piece, in order.
func (e *elements) each(f func(*piece)) {
	p := e.root
	for p != nil && p.left != nil {
		p = p.left
	}
	for p != nil {
		f(p)
		if p.right != nil {
			for p = p.right; p.left != nil; {
				p = p.left
			}
			continue
		}
		for p.up != nil && p.up.right == p {
			p = p.up
		}
		p = p.up
	}
}

func (p *piece) total() { p.sum = p.left.count() + p.n + p.right.count() }

// splay brings a piece to the root, after D. D. Sleator and R. E. Tarjan,
// "Self-Adjusting Binary Search Trees", Journal of the ACM 32 (1985).
func (e *elements) splay(p *piece) {
	if p == nil {
		return
	}
	for p.up != nil {
		if above := p.up; above.up != nil {
			if (above.left == p) == (above.up.left == above) {
				above.rise()
			} else {
				p.rise()
			}
		}
		p.rise()
	}
	e.root = p
}

// rise exchanges a piece with the one above it.
func (p *piece) rise() {
	q := p.up
	if q.left == p {
		q.left, p.right = p.right, q
		if q.left != nil {
			q.left.up = q
		}
	} else {
		q.right, p.left = p.left, q
		if q.right != nil {
			q.right.up = q
		}
	}
	if p.up = q.up; p.up != nil {
		if p.up.left == q {
			p.up.left = p
		} else {
			p.up.right = p
		}
	}
	q.up = p
	q.total()
	p.total()
}
