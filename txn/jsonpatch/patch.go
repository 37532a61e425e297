package jsonpatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	evanphx "github.com/evanphx/json-patch/v5"
)

// Operation is one step of a patch (RFC 6902, section 4).
type Operation struct {
	// Op is "add", "remove", "replace", "move", "copy" or "test".
	Op string

	// Path is where the operation acts.
	Path Pointer

	// From is where move and copy take the value; else it has no meaning.
	From Pointer

	// Value is the strict JSON text of add, replace and test.
	Value []byte

	// Slot says how the value stood in an earlier version, for [Document.Edit]. It
	// is no part of the patch: Apply and Encode know nothing of it.
	Slot *Slot
}

// Patch is an RFC 6902 patch: its operations are made one after the other.
type Patch []Operation

func hasValue(op string) bool { return op == "add" || op == "replace" || op == "test" }
func hasFrom(op string) bool  { return op == "move" || op == "copy" }

// DecodePatch reads a patch and checks that it is one: strict JSON, an array of
// objects, each with a known "op" and the members that it needs, of the right
// types. Other members are ignored (RFC 6902, section 4). Text that isn't
// strict JSON gives a *[SyntaxError], a wrong operation an *[OpError] that wraps
// [ErrPatch] and, where a pointer is at fault, [ErrPointer].
func DecodePatch(data []byte, lim Limits) (Patch, error) {
	lim = lim.orDefault()
	if size := int64(len(data)); size > lim.MaxPatchBytes {
		return nil, exceeded("the length of the patch in bytes", size, lim.MaxPatchBytes)
	}
	// A value may be as deep as a document may; the patch adds two levels.
	lim.MaxDepth = min(lim.MaxDepth+2, maxParserDepth)
	if err := lim.validatePatch(data); err != nil {
		return nil, err
	}
	data = data[bomLength(data):]
	if kind := byteAt(data, skipSpace(data, 0)); kind != '[' {
		return nil, fmt.Errorf("%w: it is %s, expected an array of operations", ErrPatch, kindName(kind))
	}
	decoded, err := evanphx.DecodePatch(data)
	if err != nil {
		return nil, whyNotDecoded(data, err)
	}
	if len(decoded) > lim.MaxOps {
		return nil, exceeded("the number of operations", len(decoded), lim.MaxOps)
	}
	return fromMembers(decoded)
}

// validatePatch checks that a patch is JSON.
func (l Limits) validatePatch(data []byte) error {
	if !l.Loose {
		return validate(data, data, l)
	}
	_, err := validateLoose(data, data, l)
	return err
}

// fromMembers checks and converts decoded operations.
func fromMembers(decoded []evanphx.Operation) (Patch, error) {
	p := make(Patch, len(decoded))
	for i, members := range decoded {
		if err := p[i].decode(members); err != nil {
			return nil, &OpError{Index: i, Op: p[i].Op, Pointer: p[i].Path.String(), Err: err}
		}
	}
	return p, nil
}

// whyNotDecoded finds the operation that the decoder refused without naming it.
func whyNotDecoded(data []byte, refusal error) error {
	s := side{text: data}
	s.peek()
	s.take('[')
	for i := 0; s.peek() != ']'; i++ {
		kind := s.peek()
		text := s.token()
		if kind != '{' {
			return &OpError{Index: i, Err: fmt.Errorf("%w: it is %s, expected an object", ErrPatch, kindName(kind))}
		}
		var o Operation
		var members evanphx.Operation
		err := json.Unmarshal(text, &members)
		if err == nil {
			err = o.decode(members)
		}
		if err != nil {
			return &OpError{Index: i, Op: o.Op, Pointer: o.Path.String(), Err: err}
		}
		s.take(',')
	}
	return fmt.Errorf("%w: %v", ErrPatch, refusal)
}

// decode takes an operation from its members.
func (o *Operation) decode(members evanphx.Operation) error {
	op, err := stringMember(members, "op")
	if err != nil {
		return err
	}
	o.Op = op
	if !hasValue(op) && !hasFrom(op) && op != "remove" {
		return fmt.Errorf("%w: unknown operation %q", ErrPatch, op)
	}
	if o.Path, err = pointerMember(members, "path"); err != nil {
		return err
	}
	if hasFrom(op) {
		o.From, err = pointerMember(members, "from")
		return err
	}
	if hasValue(op) {
		raw, ok := members["value"]
		if !ok {
			return fmt.Errorf(`%w: member "value" is missing`, ErrPatch)
		}
		o.Value = rawValue(raw)
	}
	return nil
}

// rawValue is the text of a member; the decoder makes null a nil pointer.
func rawValue(raw *json.RawMessage) []byte {
	if raw == nil || *raw == nil {
		return []byte("null")
	}
	return *raw
}

func stringMember(members evanphx.Operation, name string) (string, error) {
	raw, ok := members[name]
	if !ok {
		return "", fmt.Errorf("%w: member %q is missing", ErrPatch, name)
	}
	text := bytes.TrimSpace(rawValue(raw))
	if len(text) == 0 || text[0] != '"' {
		return "", fmt.Errorf("%w: member %q is %s, expected a string", ErrPatch, name, kindName(byteAt(text, 0)))
	}
	return unquote(text), nil
}

func pointerMember(members evanphx.Operation, name string) (Pointer, error) {
	text, err := stringMember(members, name)
	if err != nil {
		return nil, err
	}
	p, err := ParsePointer(text)
	if err != nil {
		return nil, fmt.Errorf("%w: member %q: %w", ErrPatch, name, err)
	}
	return p, nil
}

// Compact is the patch with values that have no line ends: it is p itself where
// none has any.
func (p Patch) Compact() Patch {
	out := p
	for i, op := range p {
		if !holdsNewline(op.Value) {
			continue
		}
		if &out[0] == &p[0] {
			out = slices.Clone(p)
		}
		out[i].Value = Compact(op.Value)
	}
	return out
}

// Encode returns the patch as JSON, with the members of every operation in the
// order op, from, path, value. Values are written as they are.
func (p Patch) Encode() []byte {
	out := []byte{'['}
	for i, op := range p {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendMember(append(out, '{'), "op", op.Op)
		if hasFrom(op.Op) {
			out = appendMember(append(out, ','), "from", op.From.String())
		}
		out = appendMember(append(out, ','), "path", op.Path.String())
		if hasValue(op.Op) {
			out = append(append(out, `,"value":`...), op.Value...)
		}
		out = append(out, '}')
	}
	return append(out, ']')
}

// MarshalJSON returns what Encode does.
func (p Patch) MarshalJSON() ([]byte, error) { return p.Encode(), nil }

// UnmarshalJSON is [DecodePatch] with the default limits.
func (p *Patch) UnmarshalJSON(text []byte) (err error) {
	*p, err = DecodePatch(text, Limits{})
	return err
}

// MarshalText returns what String does.
func (p Pointer) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is [ParsePointer].
func (p *Pointer) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePointer(string(text))
	return err
}

func appendMember(out []byte, name, text string) []byte {
	out = append(append(append(out, '"'), name...), `":`...)
	return appendQuoted(out, text)
}
