package jsonpatch

import (
	"bytes"
	"slices"
)

// MergePatch turns an RFC 7386 merge patch into the RFC 6902 patch that does
// the same to d. Members that d has stay where they are, new ones are added in
// the merge patch's order, and what d holds already needs no operation. The
// merge patch must be strict JSON.
func (d *Document) MergePatch(merge []byte, lim Limits) (Patch, error) {
	lim = lim.orDefault()
	if size := int64(len(merge)); size > lim.MaxPatchBytes {
		return nil, exceeded("the length of the merge patch in bytes", size, lim.MaxPatchBytes)
	}
	if err := validate(merge, merge, lim); err != nil {
		return nil, err
	}
	m := merger{doc: d.text(), merge: merge[bomLength(merge):]}
	m.value(nil, skipSpace(m.doc, 0), skipSpace(m.merge, 0))
	if len(m.ops) > lim.MaxOps {
		return nil, exceeded("the number of operations", len(m.ops), lim.MaxOps)
	}
	return m.ops, nil
}

type merger struct {
	doc, merge []byte
	ops        Patch
}

// value merges the value at merge[j] into the one at doc[i] (RFC 7386, section 2).
func (m *merger) value(path Pointer, i, j int) {
	if byteAt(m.merge, j) != '{' {
		value := m.merge[j:skipValue(m.merge, j)]
		if !equalText(m.doc[i:skipValue(m.doc, i)], value) {
			m.emit("replace", path, value)
		}
		return
	}
	if byteAt(m.doc, i) != '{' {
		m.emit("replace", path, withoutNulls(m.merge, j))
		return
	}
	members := membersOf(m.merge, j)
	places := make(map[string]int, len(members))
	for _, member := range members {
		places[member.name] = -1
	}
	eachMember(m.doc, i, func(name []byte, at int) {
		key := unquote(name)
		if _, wanted := places[key]; wanted {
			places[key] = at
		}
	})
	for _, member := range members {
		m.member(append(slices.Clip(path), member.name), places[member.name], member.at)
	}
}

// member merges one member; i is -1 where the document has none of its name.
func (m *merger) member(path Pointer, i, j int) {
	switch null := byteAt(m.merge, j) == 'n'; {
	case null && i >= 0:
		m.emit("remove", path, nil)
	case null:
	case i >= 0:
		m.value(path, i, j)
	default:
		m.emit("add", path, withoutNulls(m.merge, j))
	}
}

func (m *merger) emit(op string, path Pointer, value []byte) {
	m.ops = append(m.ops, Operation{Op: op, Path: path, Value: value})
}

type member struct {
	name string
	at   int // of the value
}

func membersOf(text []byte, i int) []member {
	var list []member
	eachMember(text, i, func(name []byte, at int) {
		list = append(list, member{unquote(name), at})
	})
	return list
}

// eachMember calls f with the name, in quotes, and the place of the value of
// every member of the object at text[i].
func eachMember(text []byte, i int, f func(name []byte, at int)) {
	s := side{text: text, at: i + 1}
	for s.peek() == '"' {
		name := s.token()
		s.take(':')
		s.peek()
		f(name, s.at)
		s.at = skipValue(text, s.at)
		s.take(',')
	}
}

// withoutNulls returns the value at text[i]. If it is an object, the members
// that are null are left out, in it and in the objects that are its members;
// arrays are taken as they are (RFC 7386, section 1).
func withoutNulls(text []byte, i int) []byte {
	value := text[i:skipValue(text, i)]
	if value[0] != '{' || !bytes.Contains(value, []byte("null")) {
		return value
	}
	return appendWithoutNulls(nil, value, 0)
}

func appendWithoutNulls(out, text []byte, i int) []byte {
	if byteAt(text, i) != '{' {
		return append(out, text[i:skipValue(text, i)]...)
	}
	out = append(out, '{')
	empty := true
	eachMember(text, i, func(name []byte, at int) {
		if byteAt(text, at) == 'n' {
			return
		}
		if !empty {
			out = append(out, ',')
		}
		empty = false
		out = append(append(out, name...), ':')
		out = appendWithoutNulls(out, text, at)
	})
	return append(out, '}')
}
