package jsonpatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A model is a JSON value as a tree of pointers, on which the RFCs are easy to
// follow literally. It is the tests' second opinion on the whole domain, where
// evanphx/json-patch is right on a part of it only.
type model struct {
	kind  byte // as jsontext has it
	text  string
	names []string
	items []*model
}

func parseModel(text []byte) (*model, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	m, err := readModel(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return m, nil
}

func readModel(dec *jsontext.Decoder) (*model, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	m := &model{kind: byte(tok.Kind()), text: tok.String()}
	for (m.kind == '{' || m.kind == '[') && dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		if m.kind == '{' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			m.names = append(m.names, name.String())
		}
		item, err := readModel(dec)
		if err != nil {
			return nil, err
		}
		m.items = append(m.items, item)
	}
	if m.kind == '{' || m.kind == '[' {
		_, err = dec.ReadToken()
	}
	return m, err
}

// clone copies m whole.
func (m *model) clone() *model {
	c := *m
	c.names, c.items = slices.Clone(m.names), nil
	for _, item := range m.items {
		c.items = append(c.items, item.clone())
	}
	return &c
}

// equal compares by value, with ordered telling whether member order counts.
func (m *model) equal(o *model, ordered bool) bool {
	if m.kind != o.kind || len(m.items) != len(o.items) {
		return false
	}
	switch m.kind {
	case '0':
		return plainDecimal(m.text) == plainDecimal(o.text)
	case '{':
		for i, name := range m.names {
			j := slices.Index(o.names, name)
			if j < 0 || (ordered && i != j) || !m.items[i].equal(o.items[j], ordered) {
				return false
			}
		}
		return true
	case '[':
		return slices.EqualFunc(m.items, o.items, func(a, b *model) bool { return a.equal(b, ordered) })
	}
	return m.text == o.text
}

// plainDecimal writes a number as one integer and its exponent, so that equal
// numbers give equal strings.
func plainDecimal(lit string) string {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(lit), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exp := new(big.Int)
	if exponent != "" {
		exp.SetString(strings.TrimPrefix(exponent, "+"), 10)
	}
	exp.Sub(exp, big.NewInt(int64(len(fraction))))
	digits, _ := new(big.Int).SetString(whole+fraction, 10)
	if digits.Sign() == 0 {
		return "0"
	}
	trimmed := strings.TrimRight(digits.String(), "0")
	exp.Add(exp, big.NewInt(int64(len(digits.String())-len(trimmed))))
	return trimmed + "e" + exp.String()
}

var errModel = errors.New("model: operation fails")

// find returns the value at p.
func (m *model) find(p Pointer) (*model, error) {
	for _, token := range p {
		i, err := m.child(token)
		if err != nil {
			return nil, err
		}
		m = m.items[i]
	}
	return m, nil
}

func (m *model) child(token string) (int, error) {
	switch m.kind {
	case '{':
		if i := slices.Index(m.names, token); i >= 0 {
			return i, nil
		}
	case '[':
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(m.items) && strconv.Itoa(i) == token {
			return i, nil
		}
	}
	return 0, errModel
}

// apply changes m, and returns it or what took its place.
func (m *model) apply(p Patch) (*model, error) {
	for _, op := range p {
		var err error
		if m, err = m.applyOne(op); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *model) applyOne(op Operation) (*model, error) {
	switch op.Op {
	case "add", "replace", "test":
		v, err := parseModel(op.Value)
		if err != nil {
			return nil, err
		}
		return m.applyValue(op, v)
	case "remove":
		m, _, err := m.remove(op.Path)
		return m, err
	case "copy":
		v, err := m.find(op.From)
		if err != nil {
			return nil, err
		}
		return m.add(op.Path, v.clone())
	case "move":
		if slices.Equal(op.From, op.Path) {
			_, err := m.find(op.From)
			return m, err
		}
		if op.Path.HasPrefix(op.From) {
			return nil, errModel
		}
		m, v, err := m.remove(op.From)
		if err != nil {
			return nil, err
		}
		return m.add(op.Path, v)
	}
	return nil, fmt.Errorf("model: op %q", op.Op)
}

func (m *model) applyValue(op Operation, v *model) (*model, error) {
	if op.Op == "add" {
		return m.add(op.Path, v)
	}
	old, err := m.find(op.Path)
	if err != nil {
		return nil, err
	}
	if op.Op == "test" {
		if !old.equal(v, false) {
			return nil, errModel
		}
		return m, nil
	}
	*old = *v
	return m, nil
}

func (m *model) add(p Pointer, v *model) (*model, error) {
	if len(p) == 0 {
		return v, nil
	}
	parent, err := m.find(p[:len(p)-1])
	if err != nil {
		return nil, err
	}
	token := p[len(p)-1]
	switch i, err := parent.child(token); {
	case parent.kind == '{' && err == nil:
		parent.items[i] = v
	case parent.kind == '{':
		parent.names, parent.items = append(parent.names, token), append(parent.items, v)
	case parent.kind == '[' && err == nil:
		parent.items = slices.Insert(parent.items, i, v)
	case parent.kind == '[' && (token == "-" || token == strconv.Itoa(len(parent.items))):
		parent.items = append(parent.items, v)
	default:
		return nil, errModel
	}
	return m, nil
}

func (m *model) remove(p Pointer) (rest, removed *model, err error) {
	if len(p) == 0 {
		return nil, nil, errModel
	}
	parent, err := m.find(p[:len(p)-1])
	if err != nil {
		return nil, nil, err
	}
	i, err := parent.child(p[len(p)-1])
	if err != nil {
		return nil, nil, err
	}
	removed = parent.items[i]
	parent.items = slices.Delete(parent.items, i, i+1)
	if parent.kind == '{' {
		parent.names = slices.Delete(parent.names, i, i+1)
	}
	return m, removed, nil
}

// merge is RFC 7386, section 2, word for word, but that a value which is there already
// stays as it is written.
func (m *model) merge(patch *model) *model {
	if patch.kind != '{' {
		if m != nil && m.equal(patch, false) {
			return m
		}
		return patch
	}
	if m == nil || m.kind != '{' {
		m = &model{kind: '{'}
	}
	for i, name := range patch.names {
		j := slices.Index(m.names, name)
		switch v := patch.items[i]; {
		case v.kind == 'n' && j >= 0:
			m.names, m.items = slices.Delete(m.names, j, j+1), slices.Delete(m.items, j, j+1)
		case v.kind == 'n':
		case j >= 0:
			m.items[j] = m.items[j].merge(v)
		default:
			m.names, m.items = append(m.names, name), append(m.items, (*model)(nil).merge(v))
		}
	}
	return m
}
