package ordered

import (
	"bytes"
	"errors"
	"math"

	"github.com/itchyny/gojq"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// errBeyond is what a program that makes an infinite number ends in.
var errBeyond = errors.New("the program makes a number that is beyond what it can count with (about 1.8e308)")

// Revision is a result with what is known of where its parts come from.
func (v *Value) Revision() (jsonpatch.Revision, error) {
	var r jsonpatch.Revision
	var err error
	r.Text, err = v.append(nil, &r)
	return r, err
}

// append writes a value. With a revision it notes what is taken from elsewhere.
func (v *Value) append(out []byte, r *jsonpatch.Revision) ([]byte, error) {
	if v.src != nil {
		lo := len(out)
		out = append(out, v.src.text[v.lo:v.hi]...)
		// What an argument has on one line is laid out as the file is.
		if raw := v.src.raw[v.lo:v.hi]; r != nil && (v.src.document || bytes.IndexByte(raw, '\n') >= 0) {
			t := jsonpatch.Taken{Lo: lo, Hi: len(out), Raw: raw, Indent: jsonpatch.IndentAt(v.src.raw, v.lo), At: -1}
			if v.src.document {
				t.At = v.lo
			}
			r.Taken = append(r.Taken, t)
		}
		return out, nil
	}
	if r != nil && v.kin >= 0 {
		r.Kin = append(r.Kin, jsonpatch.Kin{Lo: len(out), At: v.kin})
	}
	return v.appendMade(out, r)
}

func (v *Value) appendMade(out []byte, r *jsonpatch.Revision) ([]byte, error) {
	var err error
	switch v.kind {
	case 'n':
		return append(out, "null"...), nil
	case 't':
		return append(out, "true"...), nil
	case 'f':
		return append(out, "false"...), nil
	case number:
		return appendNumber(out, v.num)
	case '"':
		return jsonpatch.AppendQuoted(out, v.str), nil
	}
	out = append(out, v.kind)
	for i, e := range v.elems {
		if i > 0 {
			out = append(out, ',')
		}
		if v.kind == '{' {
			if v.names[i] != nil {
				out = append(out, v.names[i]...)
			} else {
				out = jsonpatch.AppendQuoted(out, v.keys[i])
			}
			out = append(out, ':')
		}
		if out, err = e.append(out, r); err != nil {
			return out, err
		}
	}
	return append(out, v.kind+2), nil
}

func appendNumber(out []byte, n any) ([]byte, error) {
	if f, ok := n.(float64); ok {
		switch {
		case math.IsNaN(f):
			return append(out, "null"...), nil // as jq does
		case math.IsInf(f, 0):
			return out, errBeyond
		}
	}
	text, err := gojq.Marshal(n)
	return append(out, text...), err
}

// json is a value as the text that tojson makes: compact, in the order of its
// members.
func (v *Value) json() (string, error) {
	out, err := v.appendJSON(nil)
	return string(out), err
}

func (v *Value) appendJSON(out []byte) ([]byte, error) {
	v.load()
	var err error
	switch v.kind {
	case number:
		made, err := appendNumber(out, v.num)
		if err != nil && v.src != nil {
			return append(out, v.src.text[v.lo:v.hi]...), nil
		}
		return made, err
	case '[', '{':
		out = append(out, v.kind)
		for i, e := range v.elems {
			if i > 0 {
				out = append(out, ',')
			}
			if v.kind == '{' {
				out = append(jsonpatch.AppendQuoted(out, v.keys[i]), ':')
			}
			if out, err = e.appendJSON(out); err != nil {
				return out, err
			}
		}
		return append(out, v.kind+2), nil
	}
	return v.appendMade(out, nil)
}
