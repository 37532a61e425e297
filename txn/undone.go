package txn

import (
	"fmt"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// touch is a change after the one that is to be undone.
type touch struct {
	tx wal.ID
	op jsonpatch.Operation
}

// UndoConflict says which later change keeps one from being undone.
type UndoConflict struct {
	Pointer  string // where the change was made, as the file was then
	Tx       wal.ID
	Change   string // an RFC 6902 operation
	Later    wal.ID
	LaterOp  string
	LaterPtr string
	// Undone tells that Later took Tx back already; the pointers are empty then.
	Undone bool
}

func (e *UndoConflict) Error() string {
	if e.Undone {
		return fmt.Sprintf("transaction %s is already undone by %s", e.Tx, e.Later)
	}
	return fmt.Sprintf("%q was changed again: transaction %s did %s, then %s did %s", e.Pointer, e.Tx, e.Change, e.Later, e.LaterOp)
}

func (e *UndoConflict) Unwrap() error { return ErrConflict }

// action is one operation of the transaction that is undone, with what it takes
// to undo it.
type action struct {
	op    jsonpatch.Operation
	node  *node  // the value that it made or moved
	old   *node  // the value that it replaced or removed, nil where there was none
	value []byte // of old, as text
	// from is where a moved value, or a removed one, was.
	from place
}

// place is a slot in a container: a member's, or a dead element.
type place struct {
	in   *node
	key  string
	dead *node
}

// undoing is a document on its way: first through the transaction that is to be
// undone, then through everything after it, and then back.
type undoing struct {
	shape   *shape
	tx      wal.ID
	actions []action
}

// do carries the document through an operation of the transaction. doc is the
// document before it.
func (u *undoing) do(doc *jsonpatch.Document, op jsonpatch.Operation) error {
	a := action{op: op}
	var err error
	switch op.Op {
	case "test":
		return nil
	case "remove":
		a.old = u.shape.at(op.Path)
		if a.old == nil {
			return fmt.Errorf("%s: nothing to remove", op.Path)
		}
		a.from = placeOf(a.old)
		a.from.dead = a.old.take(true)
	case "move":
		a.node = u.shape.at(op.From)
		if a.node == nil {
			return fmt.Errorf("%s: nothing to move", op.From)
		}
		a.from = placeOf(a.node)
		a.from.dead = a.node.take(true)
		a.old, err = u.shape.put(op.Path, a.node, false)
	default:
		if a.node, err = u.value(op); err == nil {
			a.old, err = u.shape.put(op.Path, a.node, op.Op == "replace")
		}
	}
	if err == nil && a.old != nil {
		a.value, err = oldValue(doc, op)
	}
	u.actions = append(u.actions, a)
	return err
}

// oldValue is the text that an operation replaced or removed.
func oldValue(doc *jsonpatch.Document, op jsonpatch.Operation) ([]byte, error) {
	if op.Op == "move" {
		var err error
		if doc, _, err = doc.Apply(jsonpatch.Patch{{Op: "remove", Path: op.From}}, jsonpatch.Limits{}); err != nil {
			return nil, err
		}
	}
	return doc.Get(op.Path)
}

// value is the node that an operation brings.
func (u *undoing) value(op jsonpatch.Operation) (*node, error) {
	if op.Op != "copy" {
		return buildNode(op.Value, 0)
	}
	from := u.shape.at(op.From)
	if from == nil {
		return nil, fmt.Errorf("%s: nothing to copy", op.From)
	}
	return copyOf(from), nil
}

func placeOf(n *node) place { return place{in: n.parent, key: n.key} }

// follow carries the document through a later operation, and notes what that
// touches.
func (u *undoing) follow(by wal.ID, op jsonpatch.Operation) error {
	t := &touch{by, op}
	switch op.Op {
	case "test":
		return nil
	case "remove":
		n := u.shape.at(op.Path)
		if n == nil {
			return fmt.Errorf("%s: nothing to remove", op.Path)
		}
		n.moved(t)
		n.take(false)
		return nil
	case "move":
		n := u.shape.at(op.From)
		if n == nil {
			return fmt.Errorf("%s: nothing to move", op.From)
		}
		n.moved(t)
		n.take(false)
		return u.bring(op, n, t)
	}
	n, err := u.value(op)
	if err != nil {
		return err
	}
	return u.bring(op, n, t)
}

// bring puts a value where a later operation says.
func (u *undoing) bring(op jsonpatch.Operation, n *node, t *touch) error {
	old, err := u.shape.put(op.Path, n, op.Op == "replace")
	if err != nil {
		return err
	}
	if old != nil {
		old.moved(t)
	}
	if c := n.parent; c != nil {
		c.slot(n.key, t)
		c.within(t)
	}
	return nil
}

// moved notes that a later change took the node away from where it was, or put
// another in its place.
func (n *node) moved(t *touch) {
	if n.self == nil {
		n.self = t
	}
	n.within(t)
	if n.parent != nil {
		n.parent.slot(n.key, t)
	}
}

func (n *node) slot(key string, t *touch) {
	if n.array {
		return
	}
	if n.slots == nil {
		n.slots = map[string]*touch{}
	}
	if n.slots[key] == nil {
		n.slots[key] = t
	}
}

// within notes a change in the node and in all that contain it.
func (n *node) within(t *touch) {
	for ; n != nil; n = n.parent {
		if n.inner == nil {
			n.inner = t
		}
	}
}

// back undoes the actions, the last first, and returns the operations that do
// the same to the document as it is now.
func (u *undoing) back() (jsonpatch.Patch, error) {
	var patch jsonpatch.Patch
	for i := len(u.actions) - 1; i >= 0; i-- {
		ops, err := u.reverse(&u.actions[i])
		if err != nil {
			return nil, err
		}
		patch = append(patch, ops...)
	}
	return patch, nil
}

func (u *undoing) reverse(a *action) (jsonpatch.Patch, error) {
	if a.op.Op == "remove" {
		return u.giveBack(a)
	}
	path, gone := u.shape.pathOf(a.node)
	if gone != nil {
		return nil, u.conflict(a, gone.self)
	}
	if a.op.Op == "move" {
		return u.moveBack(a, path)
	}
	if a.node.inner != nil {
		return nil, u.conflict(a, a.node.inner)
	}
	if a.old == nil {
		a.node.take(false)
		return jsonpatch.Patch{{Op: "remove", Path: path}}, nil
	}
	if _, err := u.shape.put(path, a.old, true); err != nil {
		return nil, err
	}
	return jsonpatch.Patch{{Op: "replace", Path: path, Value: jsonpatch.Compact(a.value)}}, nil
}

// giveBack adds what was removed.
func (u *undoing) giveBack(a *action) (jsonpatch.Patch, error) {
	path, err := u.free(a)
	if err != nil {
		return nil, err
	}
	u.fill(a.from, a.old)
	return jsonpatch.Patch{{Op: "add", Path: path, Value: jsonpatch.Compact(a.value)}}, nil
}

// moveBack moves a value to where it was, and what it replaced too.
func (u *undoing) moveBack(a *action, path jsonpatch.Pointer) (jsonpatch.Patch, error) {
	if a.node.self != nil {
		return nil, u.conflict(a, a.node.self)
	}
	a.node.take(false)
	to, err := u.free(a)
	if err != nil {
		return nil, err
	}
	u.fill(a.from, a.node)
	patch := jsonpatch.Patch{{Op: "move", From: path, Path: to}}
	if a.old != nil {
		if _, err := u.shape.put(path, a.old, false); err != nil {
			return nil, err
		}
		patch = append(patch, jsonpatch.Operation{Op: "add", Path: path, Value: jsonpatch.Compact(a.value)})
	}
	return patch, nil
}

// free is the pointer to the place that a value was taken from, if that is still
// there and nothing else is in it.
func (u *undoing) free(a *action) (jsonpatch.Pointer, error) {
	path, gone := u.shape.pathOf(a.from.in)
	if gone != nil {
		return nil, u.conflict(a, gone.self)
	}
	if a.from.in.array {
		return append(path, fmt.Sprint(a.from.in.index(a.from.dead))), nil
	}
	if t := a.from.in.slots[a.from.key]; t != nil {
		return nil, u.conflict(a, t)
	}
	return append(path, a.from.key), nil
}

// fill puts a node into a place that is free.
func (u *undoing) fill(p place, n *node) {
	n.parent, n.key = p.in, p.key
	if !p.in.array {
		p.in.members[p.key] = n
		return
	}
	for i, e := range p.in.elems {
		if e == p.dead {
			p.in.elems[i] = n
			p.in.holes--
		}
	}
}

func (u *undoing) conflict(a *action, t *touch) error {
	c := &UndoConflict{Pointer: a.op.Path.String(), Tx: u.tx, Change: opText(a.op)}
	if t != nil {
		c.Later, c.LaterOp, c.LaterPtr = t.tx, opText(t.op), t.op.Path.String()
	}
	return c
}

// opText is an operation for people: its value cut where it is long.
func opText(op jsonpatch.Operation) string {
	const most = 60
	text := jsonpatch.Patch{op}.Encode()
	text = text[1 : len(text)-1]
	if len(text) > most {
		return string(text[:most]) + "..."
	}
	return string(text)
}
