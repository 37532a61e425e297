package history

import (
	"strconv"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// This is the way back: what the actions of a transaction did is taken out of the nodes as
// they are now, the last first.

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
	if a.op.Op == "test" {
		return nil, nil
	}
	if a.op.Op == "remove" {
		return u.giveBack(a)
	}
	path, gone := u.shape.pathOf(a.node)
	if gone != nil {
		return nil, u.conflict(a, u.standing(gone.self))
	}
	if a.op.Op == "move" {
		return u.moveBack(a, path)
	}
	if t := u.standing(a.node.inner); t != nil {
		return nil, u.conflict(a, t)
	}
	shown := !u.inRestored(a.node.parent)
	if a.old == nil {
		a.node.take()
		return only(shown, jsonpatch.Operation{Op: "remove", Path: path}), nil
	}
	if _, err := u.shape.put(path, a.old, true); err != nil {
		return nil, err
	}
	return u.whole(shown, "replace", path, a.old), nil
}

// only is an operation where it shows, and none where it is within a value that is
// given back whole.
func only(shown bool, op jsonpatch.Operation) jsonpatch.Patch {
	if !shown {
		return nil
	}
	return jsonpatch.Patch{op}
}

// whole puts the text of a node, as it was first, at a path.
func (u *undoing) whole(shown bool, op string, path jsonpatch.Pointer, n *node) jsonpatch.Patch {
	if !shown {
		return nil
	}
	u.restored[n] = true
	return jsonpatch.Patch{{Op: op, Path: path, Value: jsonpatch.Compact(n.src.strict[n.lo:n.hi]), Slot: u.slots(n)}}
}

func (u *undoing) inRestored(n *node) bool {
	for ; n != nil; n = n.parent {
		if u.restored[n] {
			return true
		}
	}
	return false
}

// giveBack adds what was removed.
func (u *undoing) giveBack(a *action) (jsonpatch.Patch, error) {
	path, err := u.free(a)
	if err != nil {
		return nil, err
	}
	u.fill(a.from, a.old)
	return u.whole(!u.inRestored(a.from.in), "add", path, a.old), nil
}

// moveBack moves a value to where it was, and what it replaced too.
func (u *undoing) moveBack(a *action, path jsonpatch.Pointer) (jsonpatch.Patch, error) {
	if t := u.standing(a.node.self); t != nil {
		return nil, u.conflict(a, t)
	}
	here := u.inRestored(a.node.parent)
	a.node.take()
	to, err := u.free(a)
	if err != nil {
		return nil, err
	}
	u.fill(a.from, a.node)
	var patch jsonpatch.Patch
	switch there := u.inRestored(a.from.in); {
	case here && there:
	case here:
		patch = u.whole(true, "add", to, a.node)
	case there:
		patch = jsonpatch.Patch{{Op: "remove", Path: path}}
	default:
		patch = jsonpatch.Patch{{Op: "move", From: path, Path: to, Slot: u.slots(a.node)}}
	}
	if a.old != nil {
		if _, err := u.shape.put(path, a.old, false); err != nil {
			return nil, err
		}
		patch = append(patch, u.whole(!here, "add", path, a.old)...)
	}
	return patch, nil
}

// free is the pointer to the place that a value was taken from, if that is still
// there and nothing else is in it.
func (u *undoing) free(a *action) (jsonpatch.Pointer, error) {
	if a.from.in == nil {
		return nil, nil // the whole document
	}
	path, gone := u.shape.pathOf(a.from.in)
	if gone != nil {
		return nil, u.conflict(a, u.standing(gone.self))
	}
	if a.from.in.isArray() {
		return append(path, strconv.Itoa(a.from.in.elems.index(a.from.dead))), nil
	}
	if t := u.standing(a.from.in.slots[a.from.key]); t != nil || a.from.in.members[a.from.key] != nil {
		return nil, u.conflict(a, t)
	}
	return append(path, a.from.key), nil
}

// fill puts a node into a place that is free.
func (u *undoing) fill(p place, n *node) {
	n.parent, n.key = p.in, p.key
	switch {
	case p.in == nil:
		u.shape.root = n
	case p.in.isObject():
		p.in.setMember(p.key, n)
	case p.dead.node == nil:
		p.in.elems.fill(p.dead, n)
	}
}

func (u *undoing) conflict(a *action, t *touch) error {
	c := &UndoConflict{Pointer: a.op.Path.String(), Tx: u.tx, Change: opText(a.op)}
	if t != nil {
		c.Later, c.LaterOp, c.LaterPtr = t.tx, opText(t.op), t.op.Path.String()
	}
	return c
}
