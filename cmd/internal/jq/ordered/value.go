package ordered

import (
	"bytes"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// A Source is JSON text that values are read from.
type Source struct {
	raw      []byte // as it stands, perhaps with comments
	text     []byte // strict, every byte at its place
	document bool
}

// A Value is a JSON value that remembers where it is from. It never changes.
type Value struct {
	kind byte // as its text begins: { [ " t f n, or 0 for a number

	// src and lo say where an untouched value stands; its children are read when
	// somebody asks for them.
	src    *Source
	lo, hi int
	kin    int // where in the document what it was made of stands, or -1

	str   string
	num   any // int, *big.Int or float64
	elems []*Value
	keys  []string
	names [][]byte // how keys are spelt, with quotes; nil where nobody said
	index map[string]int
	read  bool
}

// number is the kind of numbers.
const number = 0

// Document reads the document that a program changes.
func Document(data []byte) (*Value, error) {
	v, err := read(data)
	if err == nil {
		v.src.document = true
	}
	return v, err
}

// Argument reads a value that a program is given.
func Argument(data []byte) (*Value, error) { return read(data) }

func read(data []byte) (*Value, error) {
	doc, err := jsonpatch.Parse(data, jsonpatch.Limits{})
	if err != nil {
		return nil, err
	}
	src := &Source{raw: data, text: doc.Blank()}
	lo := 0
	for lo < len(src.text) && (src.text[lo] <= ' ' || src.text[lo] >= 0x80) {
		lo++ // space, and a byte order mark
	}
	return src.value(lo, jsonpatch.Skip(src.text, lo)), nil
}

func (s *Source) value(lo, hi int) *Value {
	v := &Value{src: s, lo: lo, hi: hi, kin: -1, kind: s.text[lo]}
	if v.kind == '-' || v.kind >= '0' && v.kind <= '9' {
		v.kind = number
	}
	return v
}

var (
	null       = &Value{kind: 'n', kin: -1}
	falseValue = &Value{kind: 'f', kin: -1}
	trueValue  = &Value{kind: 't', kin: -1}
)

// String makes a string.
func String(s string) *Value { return &Value{kind: '"', str: s, read: true, kin: -1} }

func boolean(b bool) *Value {
	if b {
		return trueValue
	}
	return falseValue
}

func numberOf(n any) *Value { return &Value{kind: number, num: n, read: true, kin: -1} }

// Array makes an array.
func Array(elems []*Value) *Value { return &Value{kind: '[', elems: elems, read: true, kin: -1} }

func object() *Value { return &Value{kind: '{', read: true, kin: -1} }

// literal is a number as it is written in a program.
func literal(text string) *Value {
	if !jsonNumber(text) { // .5 or 1., which JSON does not know
		f, _ := strconv.ParseFloat(text, 64)
		return numberOf(f)
	}
	src := &Source{raw: []byte(text), text: []byte(text)}
	return src.value(0, len(text))
}

func jsonNumber(text string) bool {
	_, err := jsonpatch.ParseStrict([]byte(text), jsonpatch.Limits{})
	return err == nil
}

// load reads what an untouched value holds.
func (v *Value) load() {
	if v.read {
		return
	}
	v.read = true
	switch v.kind {
	case '"':
		v.str = jsonpatch.Unquote(v.src.text[v.lo:v.hi])
	case number:
		v.num = parseNumber(string(v.src.text[v.lo:v.hi]))
	case '[', '{':
		jsonpatch.Children(v.src.text, v.lo, func(name []byte, lo, hi int) {
			child := v.src.value(lo, hi)
			if v.kind == '[' {
				v.elems = append(v.elems, child)
				return
			}
			v.put(jsonpatch.Unquote(name), name, child)
		})
	}
}

// parseNumber reads a literal as gojq does: whole numbers exactly.
func parseNumber(text string) any {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
		if n, ok := new(big.Int).SetString(text, 10); ok {
			return n
		}
	}
	f, _ := strconv.ParseFloat(text, 64) // infinite where it is too large
	return f
}

// minIndexed is how many members an object has that are looked up by a table.
const minIndexed = 12

// put sets a member of an object that nobody else has yet.
func (v *Value) put(key string, name []byte, child *Value) {
	if i := v.find(key); i >= 0 {
		v.elems[i] = child
		return
	}
	v.keys, v.elems, v.names = append(v.keys, key), append(v.elems, child), append(v.names, name)
	if v.index != nil {
		v.index[key] = len(v.keys) - 1
	} else if len(v.keys) >= minIndexed {
		v.index = make(map[string]int, 2*len(v.keys))
		for i, k := range v.keys {
			v.index[k] = i
		}
	}
}

// find is the place of a member, or -1.
func (v *Value) find(key string) int {
	if v.index != nil {
		if i, ok := v.index[key]; ok {
			return i
		}
		return -1
	}
	return slices.Index(v.keys, key)
}

// copied is a container that may be changed, made of v. The place of v is its kin.
func (v *Value) copied() *Value {
	v.load()
	c := &Value{kind: v.kind, read: true, kin: v.place(), elems: slices.Clone(v.elems)}
	if v.kind == '{' {
		c.keys, c.names = slices.Clone(v.keys), slices.Clone(v.names)
		if v.index != nil {
			c.index = make(map[string]int, len(v.index))
			for k, i := range v.index {
				c.index[k] = i
			}
		}
	}
	return c
}

// place is where in the document a value, or what it was made of, stands.
func (v *Value) place() int {
	if v.src != nil && v.src.document {
		return v.lo
	}
	return v.kin
}

// like gives a value that was made a place in the document.
func (v *Value) like(old *Value) *Value {
	if old == nil || v.src != nil || v.kin >= 0 || old.place() < 0 || v.kind == 'n' || v.kind == 't' || v.kind == 'f' {
		return v
	}
	c := *v
	c.kin = old.place()
	return &c
}

func (v *Value) truthy() bool { return v.kind != 'n' && v.kind != 'f' }

func (v *Value) typeName() string {
	switch v.kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	case '[':
		return "array"
	case '{':
		return "object"
	}
	return "number"
}

// toGo is a value as gojq has it: the order of members is lost.
func (v *Value) toGo() any {
	v.load()
	switch v.kind {
	case 'n':
		return nil
	case 't', 'f':
		return v.kind == 't'
	case '"':
		return jsonpatch.Printable(v.str) // which is all that gojq knows
	case number:
		return v.num
	case '[':
		list := make([]any, len(v.elems))
		for i, e := range v.elems {
			list[i] = e.toGo()
		}
		return list
	}
	m := make(map[string]any, len(v.keys))
	for i, k := range v.keys {
		m[k] = v.elems[i].toGo()
	}
	return m
}

// known are the names of objects that gojq makes, in jq's order.
var known = []string{"offset", "length", "string", "name", "captures"}

// fromGo is a value of gojq's.
func fromGo(x any) *Value {
	switch x := x.(type) {
	case nil:
		return null
	case bool:
		return boolean(x)
	case string:
		return String(x)
	case []any:
		list := make([]*Value, len(x))
		for i, e := range x {
			list[i] = fromGo(e)
		}
		return Array(list)
	case map[string]any:
		o := object()
		for _, k := range known {
			if e, ok := x[k]; ok {
				o.put(k, nil, fromGo(e))
			}
		}
		for _, k := range sortedKeys(x) {
			o.put(k, nil, fromGo(x[k]))
		}
		return o
	}
	return numberOf(x)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// compare orders values as jq does.
func compare(a, b *Value) int {
	if c := rank(a) - rank(b); c != 0 {
		return c
	}
	a.load()
	b.load()
	switch a.kind {
	case '"':
		return strings.Compare(a.str, b.str)
	case number:
		if a.src != nil && b.src != nil && bytes.Equal(a.src.text[a.lo:a.hi], b.src.text[b.lo:b.hi]) {
			return 0
		}
		return gojq.Compare(a.num, b.num)
	case '[':
		return slices.CompareFunc(a.elems, b.elems, compare)
	case '{':
		x, y := slices.Sorted(slices.Values(a.keys)), slices.Sorted(slices.Values(b.keys))
		if c := slices.Compare(x, y); c != 0 {
			return c
		}
		for _, k := range x {
			if c := compare(a.elems[a.find(k)], b.elems[b.find(k)]); c != 0 {
				return c
			}
		}
	}
	return 0
}

func rank(v *Value) int { return strings.IndexByte("nft\x00\"[{", v.kind) }
