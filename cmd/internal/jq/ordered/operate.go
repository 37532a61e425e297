package ordered

import (
	"slices"

	"github.com/itchyny/gojq"
)

// operators are those between scalars, as gojq is asked for them.
var operators = map[string]string{
	"+": "$a0 + $a1", "-": "$a0 - $a1", "*": "$a0 * $a1", "/": "$a0 / $a1", "%": "$a0 % $a1", "_negate": "-.", "_plus": "+.",
}

// operate is a binary operator. What containers hold keeps its order and place.
func (m *machine) operate(op gojq.Operator, l, r *Value) (*Value, error) {
	l.load()
	r.load()
	switch op {
	case gojq.OpEq:
		return boolean(compare(l, r) == 0), nil
	case gojq.OpNe:
		return boolean(compare(l, r) != 0), nil
	case gojq.OpGt:
		return boolean(compare(l, r) > 0), nil
	case gojq.OpLt:
		return boolean(compare(l, r) < 0), nil
	case gojq.OpGe:
		return boolean(compare(l, r) >= 0), nil
	case gojq.OpLe:
		return boolean(compare(l, r) <= 0), nil
	case gojq.OpAlt:
		if l.truthy() {
			return l, nil
		}
		return r, nil
	case gojq.OpAdd:
		switch {
		case l.kind == 'n':
			return r, nil
		case r.kind == 'n':
			return l, nil
		case l.kind == '{' && r.kind == '{':
			return merged(l, r, false), nil
		case l.kind == '[' && r.kind == '[':
			sum := Array(slices.Concat(l.elems, r.elems))
			return sum.like(l), nil
		}
	case gojq.OpMul:
		if l.kind == '{' && r.kind == '{' {
			return merged(l, r, true), nil
		}
	case gojq.OpSub:
		if l.kind == '[' && r.kind == '[' {
			rest := slices.DeleteFunc(slices.Clone(l.elems), func(e *Value) bool {
				return slices.ContainsFunc(r.elems, func(x *Value) bool { return compare(e, x) == 0 })
			})
			return Array(rest).like(l), nil
		}
	}
	return m.leaf(op.String(), null, l, r)
}

// merged is l + r, or l * r, which merges objects in both too.
func merged(l, r *Value, deep bool) *Value {
	c := l.copied()
	for i, key := range r.keys {
		next := r.elems[i]
		if n := c.find(key); n >= 0 && deep {
			if old := c.elems[n]; old.kind == '{' && next.kind == '{' {
				old.load()
				next.load()
				next = merged(old, next, true)
			}
		}
		c.put(key, r.names[i], next)
	}
	return c
}
