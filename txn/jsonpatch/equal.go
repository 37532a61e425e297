package jsonpatch

import (
	"bytes"
	"slices"
)

// Equal reports whether two texts have the same value: member order, space,
// comments and the spelling of strings and numbers don't matter. Numbers are
// compared exactly, whatever their size: 1, 1.0 and 10e-1 are the same, and
// 1e400 isn't 1e401. Text that isn't JSON equals nothing. Time and memory are
// about linear in the texts.
func Equal(a, b []byte) bool {
	ta, okA := strictForm(a)
	tb, okB := strictForm(b)
	return okA && okB && equalText(ta, tb)
}

// SameValue is [Equal] for documents.
func (d *Document) SameValue(o *Document) bool { return equalText(d.text(), o.text()) }

// strictForm returns the text in the form that equalText reads.
func strictForm(data []byte) ([]byte, bool) {
	lim := Limits{MaxDepth: maxParserDepth, MaxBytes: int64(len(data)) + 1}
	doc, err := Parse(data, lim)
	if err != nil {
		return nil, false
	}
	return doc.text(), true
}

// equalText is [Equal] for valid strict text.
func equalText(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	c := comparer{a: side{text: a}, b: side{text: b}}
	return c.value()
}

// comparer walks through two texts at once.
type comparer struct{ a, b side }

// side is one text and the place in it.
type side struct {
	text   []byte
	at     int
	opens  []int // the places of all brackets that open, in order
	closes []int // the places behind those that close them
}

// peek goes to the next token and returns its first byte, or 0 at the end.
func (s *side) peek() byte {
	s.at = skipSpace(s.text, s.at)
	return byteAt(s.text, s.at)
}

// token takes a string, number or word.
func (s *side) token() []byte {
	s.peek()
	start := s.at
	s.at = skipValue(s.text, start)
	return s.text[start:s.at]
}

// take goes past a delimiter, if it is the next token.
func (s *side) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// skip goes past a value. The places of the brackets are found out once, so
// that many skips of what is nested deeply don't scan it again each time.
func (s *side) skip() {
	c := s.peek()
	if c != '{' && c != '[' {
		s.token()
		return
	}
	if s.opens == nil {
		s.index()
	}
	i, _ := slices.BinarySearch(s.opens, s.at)
	s.at = s.closes[i]
}

func (s *side) index() {
	var stack []int
	for i := nextBracket(s.text, 0); i < len(s.text); i = nextBracket(s.text, i+1) {
		if c := s.text[i]; c == '{' || c == '[' {
			stack = append(stack, len(s.opens))
			s.opens = append(s.opens, i)
			s.closes = append(s.closes, len(s.text))
		} else if n := len(stack); n > 0 {
			s.closes[stack[n-1]] = i + 1
			stack = stack[:n-1]
		}
	}
}

// value compares the values at both places and, if they are equal, goes past
// them. The parser's limit on depth bounds the recursion.
func (c *comparer) value() bool {
	ka, kb := c.a.peek(), c.b.peek()
	switch {
	case ka == '{' || kb == '{':
		return ka == kb && c.object()
	case ka == '[' || kb == '[':
		return ka == kb && c.array()
	}
	ta, tb := c.a.token(), c.b.token()
	switch {
	case len(ta) == 0 || len(tb) == 0:
		return false // text that was trusted wrongly
	case bytes.Equal(ta, tb):
		return true
	case ka == '"' && kb == '"':
		return sameString(ta, tb)
	}
	return isNumber(ka) && isNumber(kb) && sameNumber(ta, tb)
}

func isNumber(c byte) bool { return c == '-' || (c >= '0' && c <= '9') }

func sameString(a, b []byte) bool {
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return bytes.Equal(a, b)
	}
	return unquote(a) == unquote(b)
}

func (c *comparer) array() bool {
	c.a.at++
	c.b.at++
	for {
		endA, endB := c.a.take(']'), c.b.take(']')
		if endA || endB {
			return endA && endB
		}
		if !c.value() {
			return false
		}
		c.a.take(',')
		c.b.take(',')
	}
}

// object compares members side by side as long as they come in the same order.
func (c *comparer) object() bool {
	c.a.at++
	c.b.at++
	for {
		endA, endB := c.a.take('}'), c.b.take('}')
		if endA || endB {
			return endA && endB
		}
		if c.a.peek() != '"' || c.b.peek() != '"' {
			return false // text that was trusted wrongly
		}
		startA, startB := c.a.at, c.b.at
		if !sameString(c.a.token(), c.b.token()) {
			c.a.at, c.b.at = startA, startB
			return c.unordered()
		}
		c.a.take(':')
		c.b.take(':')
		if !c.value() {
			return false
		}
		c.a.take(',')
		c.b.take(',')
	}
}

// unordered compares the members that are left of two objects. Those of one name are
// compared in their order.
func (c *comparer) unordered() bool {
	values := map[string]int{}
	var again, repeats counter
	for c.b.peek() == '"' {
		name := unquote(c.b.token())
		if _, twice := values[name]; twice {
			if repeats == nil {
				again, repeats = counter{}, counter{}
			}
			name = again.key(name, 1)
		}
		c.b.take(':')
		c.b.peek()
		values[name] = c.b.at
		c.b.skip()
		c.b.take(',')
	}
	c.b.take('}')
	end := c.b.at
	for n := len(values); ; n-- {
		if c.a.take('}') {
			c.b.at = end
			return n == 0
		}
		name := unquote(c.a.token())
		if repeats != nil {
			name = repeats.key(name, 0)
		}
		at, ok := values[name]
		if !ok || n == 0 {
			return false
		}
		c.a.take(':')
		c.b.at = at
		if !c.value() {
			return false
		}
		c.a.take(',')
	}
}
