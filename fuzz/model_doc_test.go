package fuzz

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/jtx-project/jtx/txn"
)

// The simple document that jtx is compared with: values as encoding/json decodes
// them, copied at each change.

var errNoSuchPlace = errors.New("no such place")

// tokens of a pointer. The values here need no escaping.
func tokensOf(pointer string) []string { return strings.Split(pointer, "/")[1:] }

// insertAt puts v at a place: sets a member or, with insert, makes room in an
// array; "-", or the index behind the last, appends.
func insertAt(doc any, path []string, v any, insert bool) (any, error) {
	if len(path) == 0 {
		return v, nil
	}
	return at(doc, path, func(a []any, i int, last bool) ([]any, error) {
		switch {
		case last && i == len(a):
			return append(slices.Clone(a), v), nil
		case i >= len(a):
			return nil, errNoSuchPlace
		case last && insert:
			return slices.Insert(slices.Clone(a), i, v), nil
		case last:
			a = slices.Clone(a)
			a[i] = v
			return a, nil
		}
		return a, nil
	}, func(o map[string]any, key string) (map[string]any, error) {
		o = maps.Clone(o)
		o[key] = v
		return o, nil
	})
}

func deleteAt(doc any, path []string) (any, error) {
	if len(path) == 0 {
		return nil, errNoSuchPlace
	}
	return at(doc, path, func(a []any, i int, last bool) ([]any, error) {
		switch {
		case i >= len(a):
			return nil, errNoSuchPlace
		case last:
			return slices.Delete(slices.Clone(a), i, i+1), nil
		}
		return a, nil
	}, func(o map[string]any, key string) (map[string]any, error) {
		if _, ok := o[key]; !ok {
			return nil, errNoSuchPlace
		}
		o = maps.Clone(o)
		delete(o, key)
		return o, nil
	})
}

// at walks to the container of a place and changes it there.
func at(doc any, path []string, array func(a []any, i int, last bool) ([]any, error), object func(o map[string]any, key string) (map[string]any, error)) (any, error) {
	last := len(path) == 1
	switch c := doc.(type) {
	case map[string]any:
		if last {
			return object(c, path[0])
		}
		inner, ok := c[path[0]]
		if !ok {
			return nil, errNoSuchPlace
		}
		inner, err := at(inner, path[1:], array, object)
		if err != nil {
			return nil, err
		}
		c = maps.Clone(c)
		c[path[0]] = inner
		return c, nil
	case []any:
		i, err := strconv.Atoi(path[0])
		if path[0] == "-" {
			i, err = len(c), nil
		}
		if err != nil {
			return nil, errNoSuchPlace
		}
		changed, err := array(c, i, last)
		if err != nil || last {
			return changed, err
		}
		inner, err := at(c[i], path[1:], array, object)
		if err != nil {
			return nil, err
		}
		c = slices.Clone(c)
		c[i] = inner
		return c, nil
	}
	return nil, errNoSuchPlace
}

// mergeInto is RFC 7386.
func mergeInto(doc, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	o, ok := doc.(map[string]any)
	if !ok {
		o = map[string]any{}
	}
	o = maps.Clone(o)
	for k, v := range p {
		if v == nil {
			delete(o, k)
		} else {
			o[k] = mergeInto(o[k], v)
		}
	}
	return o
}

// edit is one verb on one file.
type edit struct {
	verb, file, pointer string
	value               any
	text                string // of put
}

func (e edit) String() string {
	return fmt.Sprintf("%s %s %q %s", e.verb, e.file, e.pointer, jsonOf(e.value))
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func decoded(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

// documents are the values of the files that are there.
type documents map[string]any

func (d documents) equal(e documents) bool { return reflect.DeepEqual(d, e) }

// apply does an edit to the model. Its error says that jtx must refuse it too.
func (e edit) apply(d documents) (err error) {
	doc, there := d[e.file]
	if !there {
		switch e.verb {
		case "delete", "patch", "remove":
			return errNoSuchPlace
		}
		doc = map[string]any{}
		if e.verb == "set" && tokensOf(e.pointer)[0] == "-" {
			doc = []any{} // it appends, so that there must be an array
		}
	}
	path := tokensOf(e.pointer)
	switch e.verb {
	case "set":
		doc, err = insertAt(doc, path, e.value, false)
	case "delete":
		doc, err = deleteAt(doc, path)
	case "patch": // put something before, then take a place away
		if doc, err = insertAt(doc, path, e.value, true); err == nil {
			doc, err = deleteAt(doc, []string{"a"})
		}
	case "merge":
		doc = mergeInto(doc, e.value)
	case "put":
		doc = e.value
	case "remove":
		delete(d, e.file)
		return nil
	}
	if err == nil {
		d[e.file] = doc
	}
	return err
}

// run does an edit through jtx.
func (e edit) run(tx *txn.Tx) error {
	switch e.verb {
	case "set":
		return tx.Set(e.file, e.pointer, e.value)
	case "delete":
		return tx.Delete(e.file, e.pointer)
	case "patch":
		return tx.Patch(e.file, fmt.Appendf(nil, `[{"op": "add", "path": %q, "value": %s}, {"op": "remove", "path": "/a"}]`, e.pointer, jsonOf(e.value)))
	case "merge":
		return tx.Merge(e.file, []byte(jsonOf(e.value)))
	case "put":
		return tx.Put(e.file, []byte(e.text))
	}
	return tx.Remove(e.file)
}

var (
	modelFiles = []string{"a.json", "b.json", "d/c.json"}
	pickFile   = rapid.SampledFrom(modelFiles)
	pickValue  = rapid.Map(rapid.SampledFrom([]string{
		`1`, `2.5`, `"ä \" text"`, `null`, `true`, `[]`, `[1, 2, 3]`, `{}`, `{"a": 1, "b": [1, {"a": null}]}`, `{"a": null, "c": {"b": 2}}`,
	}), decoded)
	pickPointer = rapid.SampledFrom([]string{"/a", "/b", "/c", "/b/0", "/b/1", "/b/-", "/c/a", "/c/b", "/a/b/0", "/a/c/b", "/0", "/-"})
	pickLayout  = rapid.SampledFrom([]string{"", " ", "  ", "\t"})
	pickEdit    = rapid.Custom(func(t *rapid.T) edit {
		e := edit{
			verb: rapid.SampledFrom([]string{"set", "put", "merge", "delete", "patch", "set", "remove"}).Draw(t, "verb"),
			file: pickFile.Draw(t, "file"), pointer: pickPointer.Draw(t, "pointer"), value: pickValue.Draw(t, "value"),
		}
		switch e.verb { // a document of nothing but a scalar would refuse all that follows
		case "put":
			e.value = map[string]any{"a": e.value, "b": []any{1.0, "two"}, "c": map[string]any{"a": e.value}}
		case "merge":
			e.value = map[string]any{"b": e.value, "c": map[string]any{"b": e.value}}
		}
		e.text = laidOut(e.value, pickLayout.Draw(t, "layout"))
		return e
	})
	pickEdits = rapid.SliceOfN(pickEdit, 1, 3)
)

func laidOut(v any, indent string) string {
	b, err := json.MarshalIndent(v, "", indent)
	if err != nil {
		panic(err)
	}
	return string(b) + "\n"
}
