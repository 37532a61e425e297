package txn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Exists tells whether the file is there.
func (tx *Tx) Exists(file string) (bool, error) {
	d, err := tx.file(file)
	return err == nil && d.doc != nil, err
}

// Rev is the file's revision when the transaction began: 0 where it was not
// there, or was never changed through jtx.
func (tx *Tx) Rev(file string) (uint64, error) {
	d, err := tx.file(file)
	if err != nil {
		return 0, err
	}
	if d.t != nil {
		return d.t.Rev()
	}
	return d.rev, nil
}

// Bytes is the whole file, its own bytes. The caller must not change them.
func (tx *Tx) Bytes(file string) ([]byte, error) {
	d, err := tx.existing(file)
	if err != nil {
		return nil, err
	}
	tx.noteRead(d, "")
	return d.doc.Bytes(), nil
}

// Glance is Bytes for a remark on what was changed: in an open transaction it does not
// count for conflicts.
func (tx *Tx) Glance(file string) ([]byte, error) {
	d, err := tx.existing(file)
	if err != nil {
		return nil, err
	}
	return d.doc.Bytes(), nil
}

// Get is the value at a pointer, in its own bytes. It fails with ErrNotFound
// where there is nothing. The caller must not change the bytes.
func (tx *Tx) Get(file, pointer string) (json.RawMessage, error) {
	_, v, err := tx.get(file, pointer)
	return v, err
}

func (tx *Tx) get(file, pointer string) (*draft, []byte, error) {
	d, err := tx.existing(file)
	if err != nil {
		return nil, nil, err
	}
	p, err := jsonpatch.ParsePointer(pointer)
	if err != nil {
		return nil, nil, fault.In(file, err)
	}
	tx.noteRead(d, pointer)
	v, err := d.doc.Get(p)
	return d, v, fault.In(file, err)
}

// Decode unmarshals the value at a pointer into v with encoding/json. Comments in
// the file are no obstacle.
func (tx *Tx) Decode(file, pointer string, v any) error {
	d, raw, err := tx.get(file, pointer)
	if err != nil {
		return err
	}
	if d.doc.Syntax() == jsonpatch.JSONC {
		raw = jsonpatch.Compact(raw)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return &Error{Kind: ErrInvalid, File: file, Pointer: pointer, Err: err}
	}
	return nil
}

// marshal is encoding/json without its HTML escapes. A json.RawMessage is taken
// as it is.
func marshal(v any) ([]byte, error) {
	switch raw := v.(type) {
	case json.RawMessage:
		return raw, nil
	case *json.RawMessage:
		return *raw, nil
	case int:
		return strconv.AppendInt(nil, int64(raw), 10), nil // as encoding/json does
	}
	return workspace.Encode(v)
}

// Set puts v at a pointer: it replaces the value there or, in an object whose
// parents exist, adds a member; "-", or the index behind the last element, appends
// to an array. A file that is not there is made. v is marshalled with
// encoding/json; a json.RawMessage is taken as it is. Where a parent is missing it
// fails with ErrConflict; see SetPath, and there for arrays.
func (tx *Tx) Set(file, pointer string, v any, arrays ...int) error {
	return tx.set(file, pointer, v, false, arrays)
}

// SetPath is Set, but missing parents are made: as an array where "-", the place
// behind the last element, follows, else as objects, since in a pointer "0" may be
// the name of a member. arrays are the depths of those that shall be arrays all the
// same; 0 is the document, where it is made.
func (tx *Tx) SetPath(file, pointer string, v any, arrays ...int) error {
	return tx.set(file, pointer, v, true, arrays)
}

// isArray tells whether the missing container at a depth of ptr is to be an array.
func isArray(ptr jsonpatch.Pointer, depth int, arrays []int) bool {
	return ptr[depth] == "-" || slices.Contains(arrays, depth)
}

func (tx *Tx) set(file, pointer string, v any, parents bool, arrays []int) error {
	d, err := tx.writable(file)
	if err != nil {
		return err
	}
	ptr, err := jsonpatch.ParsePointer(pointer)
	if err != nil {
		return fault.In(file, err)
	}
	value, err := marshal(v)
	if err != nil {
		return fault.In(file, err)
	}
	if d.doc == nil && len(ptr) == 0 {
		return tx.put(d, append(bytes.Clone(value), '\n'))
	}
	// The value is checked before the file is made for it.
	if _, err := jsonpatch.ParseStrict(value, tx.lim); err != nil {
		return fault.In(file, err)
	}
	root := newObject
	if d.doc == nil && isArray(ptr, 0, arrays) {
		root = newArray
	}
	return tx.inNew(d, root, func() error {
		patch, err := setPatch(d.doc, ptr, value, parents, arrays)
		if err != nil {
			return fault.Conflict(file, err)
		}
		return tx.apply(d, patch)
	})
}

// inObject calls fn, for which a file that is not there is made with an empty
// object. Where fn fails it is not.
func (tx *Tx) inObject(d *draft, fn func() error) error { return tx.inNew(d, newObject, fn) }

// inNew is inObject with another document to begin with.
func (tx *Tx) inNew(d *draft, root string, fn func() error) error {
	before := *d
	if d.doc == nil {
		if err := tx.put(d, []byte(root)); err != nil {
			return err
		}
	}
	err := fn()
	if err != nil {
		*d = before
	}
	return err
}

// What a file begins with that is made by setting a member, or an element. It grows
// lines by the style.
const (
	newObject = "{}\n"
	newArray  = "[]\n"
)

// setPatch finds the operations that put value at ptr.
func setPatch(doc *jsonpatch.Document, ptr jsonpatch.Pointer, value []byte, parents bool, arrays []int) (jsonpatch.Patch, error) {
	old, err := doc.Get(ptr)
	if err == nil {
		if bytes.Equal(old, value) {
			return nil, nil
		}
		return jsonpatch.Patch{{Op: "replace", Path: ptr, Value: value}}, nil
	}
	if !errors.Is(err, jsonpatch.ErrNotFound) {
		return nil, err
	}
	var patch jsonpatch.Patch
	if parents {
		for i := 0; i < len(ptr); i++ {
			if _, err := doc.Get(ptr[:i]); errors.Is(err, jsonpatch.ErrNotFound) {
				empty := "{}"
				if isArray(ptr, i, arrays) {
					empty = "[]"
				}
				patch = append(patch, jsonpatch.Operation{Op: "add", Path: ptr[:i], Value: []byte(empty)})
			} else if err != nil {
				return nil, err
			}
		}
	}
	return append(patch, jsonpatch.Operation{Op: "add", Path: ptr, Value: value}), nil
}

// Delete removes the value at a pointer. It fails with ErrNotFound where there is
// nothing. The whole document can't be deleted; see Remove.
func (tx *Tx) Delete(file, pointer string) error {
	if _, err := tx.writable(file); err != nil {
		return err
	}
	d, err := tx.existing(file)
	if err != nil {
		return err
	}
	ptr, err := jsonpatch.ParsePointer(pointer)
	if err != nil {
		return fault.In(file, err)
	}
	if len(ptr) == 0 {
		return &Error{Kind: ErrInvalid, File: file, Err: fmt.Errorf("the whole document can't be deleted, only the file")}
	}
	if _, err := d.doc.Get(ptr); err != nil {
		return fault.In(file, err)
	}
	return tx.apply(d, jsonpatch.Patch{{Op: "remove", Path: ptr}})
}

// Patch applies an RFC 6902 patch. A test that fails, or a path that is not
// there, is ErrConflict, and the file is as before the call.
func (tx *Tx) Patch(file string, patch []byte) error {
	if _, err := tx.writable(file); err != nil {
		return err
	}
	lim := tx.lim
	lim.Loose = false
	ops, err := jsonpatch.DecodePatch(patch, lim)
	if err != nil {
		return fault.In(file, err)
	}
	return tx.applyPatch(file, ops)
}

func (tx *Tx) applyPatch(file string, ops jsonpatch.Patch) error {
	d, err := tx.writable(file)
	if err != nil {
		return err
	}
	if d.doc == nil {
		if len(ops) != 1 || len(ops[0].Path) != 0 || ops[0].Op != "add" {
			return d.missing(file)
		}
		return tx.put(d, append(bytes.Clone(ops[0].Value), '\n'))
	}
	return tx.apply(d, ops)
}

// Merge applies an RFC 7386 merge patch. A file that is not there is made.
func (tx *Tx) Merge(file string, merge []byte) error {
	d, err := tx.writable(file)
	if err != nil {
		return err
	}
	if _, err := jsonpatch.ParseStrict(merge, tx.lim); err != nil {
		return fault.In(file, err)
	}
	return tx.inObject(d, func() error {
		ops, err := d.doc.MergePatch(merge, tx.lim)
		if err != nil {
			return fault.In(file, err)
		}
		return tx.apply(d, ops)
	})
}

// Put makes data the whole document, its bytes kept as given. It makes the file
// where there is none. Comments are accepted where the file has them already, or
// has a name for them (.jsonc, .code-workspace, tsconfig*.json …), and names that an
// object repeats where the file has some.
func (tx *Tx) Put(file string, data []byte) error {
	d, err := tx.writable(file)
	if err != nil {
		return err
	}
	return tx.put(d, bytes.Clone(data))
}

func (tx *Tx) put(d *draft, data []byte) error {
	next, err := jsonpatch.Parse(data, tx.lim)
	if err != nil {
		return fault.In(d.name, err)
	}
	if next.Syntax() == jsonpatch.JSONC && !d.mayHaveComments() {
		_, err := jsonpatch.ParseStrict(data, tx.lim)
		return fault.In(d.name, err)
	}
	if err := next.Repeated(); err != nil && (d.doc == nil || d.doc.Repeated() == nil) {
		return fault.In(d.name, err)
	}
	return d.replace(next, tx.lim)
}

// replace makes a document the draft's, its bytes kept as they are.
func (d *draft) replace(next *jsonpatch.Document, lim jsonpatch.Limits) error {
	if d.doc == nil {
		d.whole, d.over, d.doc = true, true, next
		return nil
	}
	made, err := recovery.Describe(d.doc, next, lim)
	if err != nil {
		return fault.In(d.name, err)
	}
	d.ops = append(d.ops, made.Patch...)
	d.steps++
	d.doc = next
	d.whole = d.whole || made.Image || len(made.Splices) > 0
	d.over = d.over || made.Image && made.Patch == nil
	return nil
}

func (d *draft) mayHaveComments() bool {
	return namedForComments(filepath.Base(d.name)) || d.doc != nil && d.doc.Syntax() == jsonpatch.JSONC
}

// Encode makes v the whole document by changing only what differs in value, so
// that layout and comments elsewhere stay. A file that is not there is made, in
// lines, by the store's style.
func (tx *Tx) Encode(file string, v any) error {
	d, err := tx.writable(file)
	if err != nil {
		return err
	}
	data, err := marshal(v)
	if err != nil {
		return fault.In(file, err)
	}
	r := jsonpatch.Revision{Text: data}
	if d.doc != nil {
		return tx.revise(d, r)
	}
	switch c := bytes.TrimLeft(data, " \t\r\n"); {
	case bytes.HasPrefix(c, []byte("{")):
		return tx.inNew(d, newObject, func() error { return tx.revise(d, r) })
	case bytes.HasPrefix(c, []byte("[")):
		return tx.inNew(d, newArray, func() error { return tx.revise(d, r) })
	}
	return tx.put(d, append(data, '\n'))
}

// Revise makes r the file's value by changing only what differs, as Encode does; r
// says besides where its parts come from. The file must be there.
func (tx *Tx) Revise(file string, r jsonpatch.Revision) error {
	if _, err := tx.writable(file); err != nil {
		return err
	}
	d, err := tx.existing(file)
	if err != nil {
		return err
	}
	return tx.revise(d, r)
}

func (tx *Tx) revise(d *draft, r jsonpatch.Revision) error {
	style, err := tx.style(d)
	if err != nil {
		return err
	}
	next, err := d.doc.Revise(r, style, tx.lim)
	if err != nil || next.Doc == d.doc {
		return fault.In(d.name, err)
	}
	patch, err := jsonpatch.Diff(d.doc, next.Doc)
	if err != nil {
		return fault.In(d.name, err)
	}
	d.doc, d.styled = next.Doc, true
	d.ops = append(d.ops, patch...)
	d.steps++
	return nil
}

// applyChange does to the file what turns one document into the other, so that
// what neither of them mentions stays.
func (tx *Tx) applyChange(file string, before, after []byte) error {
	a, err := jsonpatch.ParseStrict(before, tx.lim)
	if err != nil {
		return fault.In(file, err)
	}
	b, err := jsonpatch.ParseStrict(after, tx.lim)
	if err != nil {
		return fault.In(file, err)
	}
	if d, err := tx.file(file); err != nil || d.doc == nil {
		return errors.Join(err, tx.Encode(file, json.RawMessage(after)))
	}
	ops, err := jsonpatch.Diff(a, b)
	if err != nil {
		return fault.In(file, err)
	}
	for _, op := range ops {
		if err := tx.applyTyped(file, op); err != nil {
			return err
		}
	}
	return nil
}

// applyTyped applies an operation that was found between two marshalled values. A
// value may be in them and not in the file: a field that it leaves out.
func (tx *Tx) applyTyped(file string, op jsonpatch.Operation) error {
	_, err := tx.Get(file, op.Path.String())
	missing := errors.Is(err, ErrNotFound)
	switch {
	case op.Op == "remove" && missing:
		return nil
	case op.Op == "replace":
		return tx.SetPath(file, op.Path.String(), json.RawMessage(op.Value))
	default:
		return tx.applyPatch(file, jsonpatch.Patch{op})
	}
}

// Remove deletes the file. Its history stays.
func (tx *Tx) Remove(file string) error {
	if _, err := tx.writable(file); err != nil {
		return err
	}
	d, err := tx.existing(file)
	if err != nil {
		return err
	}
	d.remove()
	return nil
}

// namedForComments tells whether programs by convention read comments in files
// of that name.
func namedForComments(base string) bool {
	switch filepath.Ext(base) {
	case ".jsonc", ".code-workspace", ".code-snippets", ".hujson":
		return true
	}
	for _, pattern := range []string{"tsconfig*.json", "jsconfig*.json", ".eslintrc.json", "devcontainer.json"} {
		if ok, _ := filepath.Match(pattern, base); ok {
			return true
		}
	}
	return false
}
