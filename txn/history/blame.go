package history

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Blamed names the transaction that last set a value.
type Blamed struct {
	Pointer string
	Rev     uint64
	ID      wal.ID
	Time    time.Time
	Actor   string
	Message string
	Foreign bool
	// Before tells that the value is older still: it was there in the oldest
	// version that is kept.
	Before bool
}

func blameOf(pointer string, rec *wal.Record, i int) Blamed {
	b := Blamed{Pointer: pointer, Rev: rec.Rev, ID: rec.Unit, Foreign: rec.Flags&wal.FlagForeign != 0}
	if i < len(rec.Txns) {
		t := rec.Txns[i]
		b.ID, b.Time, b.Actor, b.Message = t.ID, madeAt(rec, t), t.Actor, t.Message
	}
	return b
}

// Blame names the transaction that last set the value at a pointer, or something
// in it. It follows the value back through moves, copies and shifts in arrays,
// and reads no more of the history than up to that transaction.
func Blame(ctx context.Context, store *txn.Store, file, pointer string) (Blamed, error) {
	s := of(store)
	h, err := s.HeadOf(ctx, file)
	if err != nil {
		return Blamed{}, err
	}
	ptr, err := jsonpatch.ParsePointer(pointer)
	if err != nil {
		return Blamed{}, fault.In(file, err)
	}
	doc, err := s.Content(h.Target, h.Last)
	if err != nil {
		return Blamed{}, err
	}
	if doc == nil {
		return Blamed{}, &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: fmt.Errorf("no such file")}
	}
	if _, err := doc.Get(ptr); err != nil {
		return Blamed{}, fault.In(h.Target.Name, err)
	}
	tr, err := newTrail(doc, ptr)
	if err != nil {
		return Blamed{}, fault.In(h.Target.Name, err)
	}
	return s.followBack(ctx, h, tr, pointer)
}

func (s past) followBack(ctx context.Context, h versions.Head, tr *trail, pointer string) (Blamed, error) {
	var oldest *wal.Record
	for rec, err := range s.Versions(h.Target, h.Last) {
		if err != nil {
			return Blamed{}, err
		}
		if ctx.Err() != nil {
			return Blamed{}, context.Cause(ctx)
		}
		oldest = rec
		if versions.MakesFile(rec) {
			return blameOf(pointer, rec, 0), nil
		}
		for i := len(rec.Txns) - 1; i >= 0; i-- {
			set, err := s.setIn(located{h, rec}, i, tr)
			if errors.Is(err, txn.ErrNotFound) {
				return blameBefore(pointer, rec), nil // from where, is not kept
			}
			if err != nil {
				return Blamed{}, fault.In(h.Target.Name, err)
			}
			if set {
				return blameOf(pointer, rec, i), nil
			}
		}
	}
	if oldest == nil {
		return Blamed{}, s.Dropped(h.Target, h.Last)
	}
	return blameBefore(pointer, oldest), nil
}

// blameBefore says that a value is older than the oldest that is kept.
func blameBefore(pointer string, oldest *wal.Record) Blamed {
	b := blameOf(pointer, oldest, 0)
	b.Before = true
	return b
}

// setIn follows the trail back through one transaction of a record, and tells
// whether that set the value.
func (s past) setIn(at located, i int, tr *trail) (bool, error) {
	patch, err := s.patchOf(at, i)
	if err != nil {
		return false, err
	}
	for k := len(patch) - 1; k >= 0; k-- {
		op := patch[k]
		rest, hit, set := tr.back(op)
		if set {
			return true, nil
		}
		if !hit {
			continue
		}
		from := append(append(jsonpatch.Pointer{}, op.From...), rest...)
		doc, err := s.documentWithin(at, i, patch[:k])
		if err != nil {
			return false, err
		}
		next, err := newTrail(doc, from)
		if err != nil {
			return false, err
		}
		*tr = *next
	}
	return false, nil
}

// documentWithin is the document in the middle of a record: behind the i
// transactions before one, and the first operations of that.
func (s past) documentWithin(at located, i int, ops jsonpatch.Patch) (*jsonpatch.Document, error) {
	doc, err := s.ContentBefore(at.h.Target, at.rec)
	if err != nil {
		return nil, err
	}
	var all jsonpatch.Patch
	for j := range i {
		patch, err := s.patchOf(at, j)
		if err != nil {
			return nil, err
		}
		all = append(all, patch...)
	}
	doc, _, err = doc.Apply(append(all, ops...), s.Limits)
	return doc, err
}

// trail is where a value is, on its way back through the operations.
type trail struct{ steps []step }

// step leads from a container to what is in it.
type step struct {
	token  string
	array  bool
	length int // of the array
}

func newTrail(doc *jsonpatch.Document, p jsonpatch.Pointer) (*trail, error) {
	shape, err := newShape(jsonpatch.Compact(doc.Bytes()), 0)
	if err != nil {
		return nil, err
	}
	tr := &trail{}
	n := shape.root
	for _, token := range p {
		if n == nil {
			return nil, fmt.Errorf("%w: %s", jsonpatch.ErrNotFound, p)
		}
		tr.steps = append(tr.steps, step{token, n.isArray(), n.length()})
		n = n.child(token)
	}
	return tr, nil
}

// back takes an operation back. set tells that it set the value, or something in
// it; hit, that it moved or copied the value to where it is: from where the
// operation says, with rest below that.
func (tr *trail) back(op jsonpatch.Operation) (rest jsonpatch.Pointer, hit, set bool) {
	switch op.Op {
	case "test":
		return nil, false, false
	case "remove":
		return nil, false, tr.unremove(op.Path)
	case "replace":
		_, within := tr.below(op.Path)
		return nil, false, within || tr.contains(op.Path)
	}
	rest, hit, set = tr.unadd(op.Path)
	switch {
	case set, hit && op.Op == "add":
		return nil, false, true
	case hit, op.Op != "move":
		return rest, hit, false
	}
	return nil, false, tr.unremove(op.From)
}

// below is the way from q down to the value, if it is at q or in it.
func (tr *trail) below(q jsonpatch.Pointer) (rest jsonpatch.Pointer, ok bool) {
	if len(q) > len(tr.steps) {
		return nil, false
	}
	for i, token := range q {
		if tr.steps[i].token != token {
			return nil, false
		}
	}
	for _, s := range tr.steps[len(q):] {
		rest = append(rest, s.token)
	}
	return rest, true
}

// contains tells whether q is inside the value.
func (tr *trail) contains(q jsonpatch.Pointer) bool {
	if len(q) <= len(tr.steps) {
		return false
	}
	for i, s := range tr.steps {
		if s.token != q[i] {
			return false
		}
	}
	return true
}

// sibling is the step at which the value and q part, if that is in an array that
// holds both.
func (tr *trail) sibling(q jsonpatch.Pointer) *step {
	if len(q) == 0 {
		return nil
	}
	if _, ok := tr.below(q[:len(q)-1]); !ok || len(tr.steps) < len(q) {
		return nil
	}
	if s := &tr.steps[len(q)-1]; s.array {
		return s
	}
	return nil
}

func (tr *trail) unadd(q jsonpatch.Pointer) (rest jsonpatch.Pointer, hit, set bool) {
	if tr.contains(q) {
		return nil, false, true
	}
	s := tr.sibling(q)
	if s == nil {
		rest, hit = tr.below(q)
		return rest, hit, false
	}
	at := s.length - 1
	if token := q[len(q)-1]; token != "-" {
		at = number(token)
	}
	s.length--
	switch mine := number(s.token); {
	case mine == at:
		for _, s := range tr.steps[len(q):] {
			rest = append(rest, s.token)
		}
		return rest, true, false
	case mine > at:
		s.token = strconv.Itoa(mine - 1)
	}
	return nil, false, false
}

// unremove puts back what an operation took away. It set the value if it took
// that from within it.
func (tr *trail) unremove(q jsonpatch.Pointer) (set bool) {
	if tr.contains(q) {
		return true
	}
	s := tr.sibling(q)
	if s == nil {
		return false
	}
	s.length++
	if mine := number(s.token); mine >= number(q[len(q)-1]) {
		s.token = strconv.Itoa(mine + 1)
	}
	return false
}

// number is an array index, of a patch that was applied.
func number(token string) int {
	n, err := strconv.Atoi(token)
	if err != nil {
		return -1
	}
	return n
}

// BlameAll names for each value of a file that is no container, or is an empty
// one, the transaction that last set it, in the file's order. It reads the whole
// history once, and time is linear in that.
func BlameAll(ctx context.Context, store *txn.Store, file string) iter.Seq2[Blamed, error] {
	s := of(store)
	return func(yield func(Blamed, error) bool) {
		h, err := s.HeadOf(ctx, file)
		if err != nil {
			yield(Blamed{}, err)
			return
		}
		w := annotator{s: s, ctx: ctx, h: h}
		if err := w.read(); err != nil {
			yield(Blamed{}, fault.In(h.Target.Name, err))
			return
		}
		doc, err := s.Content(h.Target, h.Last)
		if err != nil || doc == nil {
			if err == nil {
				err = &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: fmt.Errorf("no such file")}
			}
			yield(Blamed{}, err)
			return
		}
		w.repeats = doc.Repeated() != nil
		if err := w.walk(jsonpatch.Compact(doc.Bytes()), 0, nil, w.shape.root, yield); err != nil && !errors.Is(err, errStopped) {
			yield(Blamed{}, fault.In(h.Target.Name, err))
		}
	}
}

// annotator carries a document's shape forward through its history, each value
// marked with the change that set it.
type annotator struct {
	s     past
	ctx   context.Context
	h     versions.Head
	shape shape
	marks []Blamed // without pointers

	repeats bool // whether the document has names that are repeated
}

func (w *annotator) read() error {
	for rec, err := range w.s.VersionsFrom(w.h.Target, 1, w.h.Last) {
		if err != nil {
			return err
		}
		if w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
		if err := w.next(rec); err != nil {
			return err
		}
	}
	return nil
}

func (w *annotator) next(rec *wal.Record) error {
	first := len(w.marks) == 0
	for i := range max(1, len(rec.Txns)) {
		b := blameOf("", rec, i)
		b.Before = first && !versions.MakesFile(rec)
		w.marks = append(w.marks, b)
	}
	mark := len(w.marks) - max(1, len(rec.Txns))
	switch {
	case !rec.After.Exists:
		w.shape.root = nil
		return nil
	case first, w.shape.root == nil:
		return w.begin(rec, mark)
	}
	for i := range rec.Txns {
		patch, err := w.s.patchOf(located{w.h, rec}, i)
		if err != nil {
			return err
		}
		for _, op := range patch {
			if err := w.shape.apply(op, mark+i); err != nil {
				return &wal.CorruptError{Path: w.h.Target.Dir, LSN: rec.LSN, Reason: err.Error()}
			}
		}
	}
	return nil
}

func (w *annotator) begin(rec *wal.Record, mark int) error {
	doc, err := w.s.ContentOf(w.h.Target, rec)
	if err != nil {
		return err
	}
	shape, err := newShape(jsonpatch.Compact(doc.Bytes()), mark)
	if err == nil {
		w.shape = *shape
	}
	return err
}

// apply makes an operation; what it sets is marked.
func (s *shape) apply(op jsonpatch.Operation, mark int) error {
	var n *node
	switch op.Op {
	case "test":
		return nil
	case "remove", "move":
		from := op.From
		if op.Op == "remove" {
			from = op.Path
		}
		if n = s.at(from); n == nil {
			return fmt.Errorf("%s: nothing to %s", from, op.Op)
		}
		n.take()
		if c := n.parent; c != nil && c.empty() {
			c.by = mark // what it is now, empty, is a value of its own
		}
		if op.Op == "remove" {
			return nil
		}
	case "copy":
		from := s.at(op.From)
		if from == nil {
			return fmt.Errorf("%s: nothing to copy", op.From)
		}
		n = copyOf(from)
	default:
		var err error
		if n, err = buildNode(op.Value, mark); err != nil {
			return err
		}
	}
	_, err := s.put(op.Path, n, op.Op == "replace")
	return err
}

// errStopped ends a walk whose caller has seen enough.
var errStopped = fmt.Errorf("stopped")

// walk yields the values of a document in its own order, from the one at text[at] on.
func (w *annotator) walk(text []byte, at int, p jsonpatch.Pointer, n *node, yield func(Blamed, error) bool) error {
	if n == nil {
		return fmt.Errorf("%s: the patches of the history do not lead there", p)
	}
	children := w.childrenOf(text, at)
	if len(children) == 0 {
		b := w.marks[n.by]
		b.Pointer = p.String()
		if !yield(b, nil) {
			return errStopped
		}
		return nil
	}
	for _, c := range children {
		if err := w.walk(text, c.at, append(p[:len(p):len(p)], c.token), n.child(c.token), yield); err != nil {
			return err
		}
	}
	return nil
}

// childAt is a member or element, and where its value begins.
type childAt struct {
	token string
	at    int
}

// childrenOf lists what is in a container. Of members of one name it has the last one.
func (w *annotator) childrenOf(text []byte, at int) []childAt {
	if text[at] != '{' && text[at] != '[' {
		return nil
	}
	var list []childAt
	last := map[string]int{}
	jsonpatch.Children(text, at, func(name []byte, lo, _ int) {
		c := childAt{strconv.Itoa(len(list)), lo}
		if name != nil {
			c.token = jsonpatch.Unquote(name)
		}
		if w.repeats && name != nil {
			if earlier, ok := last[c.token]; ok {
				list[earlier].at = -1
			}
			last[c.token] = len(list)
		}
		list = append(list, c)
	})
	return slices.DeleteFunc(list, func(c childAt) bool { return c.at < 0 })
}
