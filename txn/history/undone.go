package history

import (
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/jtx-project/jtx/txn"
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
	// File and Rev name the version before Tx, which can be brought back as a whole.
	File string
	Rev  uint64
}

func (e *UndoConflict) Error() string {
	if e.Undone {
		return fmt.Sprintf("transaction %s is already undone by %s", e.Tx, e.Later)
	}
	return fmt.Sprintf("%q was changed again: transaction %s did %s, then %s did %s", e.Pointer, e.Tx, e.Change, e.Later, e.LaterOp)
}

func (e *UndoConflict) Unwrap() error { return txn.ErrConflict }

// action is one operation of a transaction, with what it takes to undo it.
type action struct {
	op   jsonpatch.Operation
	node *node // the value that it made or moved
	old  *node // the value that it replaced or removed, nil where there was none
	// from is where a moved value, or a removed one, was.
	from place
}

// place is a slot in a container: a member's, or where an element was.
type place struct {
	in   *node
	key  string
	dead *piece
}

// grave is where nodes of an object that had one name are, or elements of an array that
// have, in all likelihood, one value.
type grave struct {
	in   *node
	name string
	sum  uint64
}

// undoing is a document on its way: first through the transaction that is to be
// undone, then through everything after it, and then back.
type undoing struct {
	shape   *shape
	tx      wal.ID
	actions []action
	// undoes are the transactions of the way that take others back, and which;
	// undone are those that are taken back at some point of it.
	undoes map[wal.ID][]wal.ID
	undone map[wal.ID]bool
	seen   map[wal.ID]bool // what the walk went through
	// cancelled are those that are taken back where the walk is, by what.
	cancelled map[wal.ID]wal.ID
	// graves are the nodes that were removed, and may be given back. Of an array's, those
	// of fresh have not been put there yet.
	graves map[grave][]*node
	fresh  map[*node][]*node
	seed   maphash.Seed
	taken  map[*node][]*action // those that took a node away, once somebody asked
	// restored are nodes that are given back whole: what was done in them before is
	// not in their text.
	restored map[*node]bool
	slots    func(*node) *jsonpatch.Slot
}

// do carries the document through an operation. What it removes can come back.
func (u *undoing) do(op jsonpatch.Operation) (a action, err error) {
	a.op = op
	switch op.Op {
	case "test":
		return a, nil
	case "remove":
		if a.old = u.shape.at(op.Path); a.old == nil {
			return a, fmt.Errorf("%s: nothing to remove", op.Path)
		}
		a.from = u.take(a.old)
		u.bury(a.old)
		return a, nil
	case "move":
		if a.node = u.shape.at(op.From); a.node == nil {
			return a, fmt.Errorf("%s: nothing to move", op.From)
		}
		a.from = u.take(a.node)
		a.old, err = u.shape.put(op.Path, a.node, false)
	default:
		if a.node, err = u.value(op); err == nil {
			a.old, err = u.shape.put(op.Path, a.node, op.Op == "replace")
		}
	}
	if a.old != nil {
		u.bury(a.old)
	}
	return a, err
}

// take takes a node out of its place, which it keeps.
func (u *undoing) take(n *node) place {
	return place{in: n.parent, key: n.key, dead: n.take()}
}

// bury keeps a node that is gone, where it may be given back.
func (u *undoing) bury(n *node) {
	if c := n.parent; c != nil && c.isArray() {
		u.fresh[c] = append(u.fresh[c], n)
		return
	}
	g := grave{in: n.parent, name: n.key}
	u.graves[g] = append(u.graves[g], n)
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

// follow carries the document through a later operation, and notes what that
// touches.
func (u *undoing) follow(by wal.ID, op jsonpatch.Operation) error {
	t := &touch{by, op}
	switch op.Op {
	case "test":
		return nil
	case "remove", "move":
		from := op.Path
		if op.Op == "move" {
			from = op.From
		}
		if n := u.shape.at(from); n != nil {
			n.moved(t)
		}
	}
	step := u.pass
	if u.undone[by] {
		step = u.do
	}
	a, err := step(op)
	if err != nil || op.Op == "remove" {
		return err
	}
	if a.old != nil {
		a.old.moved(t)
	}
	if c := a.node.parent; c != nil {
		c.slot(a.node.key, t)
		c.within(t)
	}
	return nil
}

// pass is do for what is never taken back: a removed element leaves no place.
func (u *undoing) pass(op jsonpatch.Operation) (a action, err error) {
	switch op.Op {
	case "remove", "move":
		from := op.Path
		if op.Op == "move" {
			from = op.From
		}
		if a.node = u.shape.at(from); a.node == nil {
			return a, fmt.Errorf("%s: nothing to %s", from, op.Op)
		}
		a.node.take()
		if op.Op == "move" {
			a.old, err = u.shape.put(op.Path, a.node, false)
		}
	default:
		if a.node, err = u.value(op); err == nil {
			a.old, err = u.shape.put(op.Path, a.node, op.Op == "replace")
		}
	}
	return a, err
}

// takesBack carries the document through an operation of a transaction that takes
// others back. It touches nothing: the nodes that it gives back are those that were
// removed.
func (u *undoing) takesBack(op jsonpatch.Operation) error {
	switch op.Op {
	case "test":
		return nil
	case "remove", "move":
		from := op.Path
		if op.Op == "move" {
			from = op.From
		}
		n := u.shape.at(from)
		if n == nil {
			return fmt.Errorf("%s: nothing to %s", from, op.Op)
		}
		u.again(n, u.take(n))
		if op.Op == "remove" {
			u.bury(n)
			return nil
		}
		old, err := u.shape.put(op.Path, n, false)
		if old != nil {
			u.bury(old)
		}
		return err
	}
	n, err := u.value(op)
	if err != nil {
		return err
	}
	if len(op.Path) > 0 {
		if c := u.shape.at(op.Path[:len(op.Path)-1]); c != nil {
			n = u.revived(c, op.Path[len(op.Path)-1], n)
		}
	} else {
		n = u.revived(nil, "", n)
	}
	old, err := u.shape.put(op.Path, n, op.Op == "replace")
	if old != nil && old != n {
		u.bury(old)
	}
	return err
}

// again corrects the place of what the transaction had taken away, where it is taken
// away once more.
func (u *undoing) again(n *node, p place) {
	if u.taken == nil {
		u.taken = map[*node][]*action{}
		for i := range u.actions {
			switch a := &u.actions[i]; a.op.Op {
			case "remove":
				u.taken[a.old] = append(u.taken[a.old], a)
			case "move":
				u.taken[a.node] = append(u.taken[a.node], a)
			}
		}
	}
	for _, a := range slices.Backward(u.taken[n]) {
		if a.op.Op == "remove" || a.from.in == p.in {
			a.from = p
			return
		}
	}
}

// revived is the node that was removed from a container, from the same slot where it
// is an object, and has the value of a new one; else the new one itself.
func (u *undoing) revived(c *node, key string, n *node) *node {
	text := n.text(nil)
	g := grave{in: c, name: key}
	if c != nil && c.isArray() {
		for _, old := range u.fresh[c] {
			g := grave{in: c, sum: jsonpatch.Sum(u.seed, old.text(nil))}
			u.graves[g] = append(u.graves[g], old)
		}
		delete(u.fresh, c)
		g = grave{in: c, sum: jsonpatch.Sum(u.seed, text)}
	}
	for i, old := range slices.Backward(u.graves[g]) {
		if jsonpatch.Equal(old.text(nil), text) {
			u.graves[g] = slices.Delete(u.graves[g], i, i+1)
			return old
		}
	}
	return n
}

// cancel notes that a transaction is taken back, and that what it had taken back
// itself stands again.
func (u *undoing) cancel(id, by wal.ID) {
	u.cancelled[id] = by
	for _, of := range u.undoes[id] {
		u.restore(of)
	}
}

func (u *undoing) restore(id wal.ID) {
	delete(u.cancelled, id)
	for _, of := range u.undoes[id] {
		u.cancel(of, id)
	}
}

// moved notes that a later change took the node away from where it was, or put
// another in its place.
func (n *node) moved(t *touch) {
	n.self = noted(n.self, t)
	n.within(t)
	if n.parent != nil {
		n.parent.slot(n.key, t)
	}
}

// noted adds a change, unless one of the same transaction is the last.
func noted(list []*touch, t *touch) []*touch {
	if n := len(list); n > 0 && list[n-1].tx == t.tx {
		return list
	}
	return append(list, t)
}

func (n *node) slot(key string, t *touch) {
	if n.isArray() {
		return
	}
	if n.slots == nil {
		n.slots = map[string][]*touch{}
	}
	n.slots[key] = noted(n.slots[key], t)
}

// within notes a change in the node and in all that contain it.
func (n *node) within(t *touch) {
	for ; n != nil; n = n.parent {
		n.inner = noted(n.inner, t)
	}
}

// standing is the first change of a list that was not taken back.
func (u *undoing) standing(list []*touch) *touch {
	for _, t := range list {
		if _, gone := u.cancelled[t.tx]; !gone {
			return t
		}
	}
	return nil
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
