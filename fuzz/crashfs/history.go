package crashfs

import "slices"

// history replays a log and tells, after each event, what is durable and what
// may or may not have reached the disk.
type history struct {
	log   *Log
	next  int // events before this one have been replayed
	nodes map[NodeID]*inode
	names map[NodeID]map[string]NodeID // the durable entries of each directory
	ops   []*nameOp                    // changes of names since, in order
}

// inode is a file, link or directory on the disk.
type inode struct {
	frozen        // the durable content and attributes
	sum    uint64 // of the content, computed when first needed
	summed bool
	ops    []*fileOp // operations since, in order
	attrs  []attrOp
}

// fileOp is a write or truncation. One is durable if a successful sync covered
// it, and doomed if a failed one did: a later sync does not help it.
type fileOp struct {
	event    int
	truncate bool
	grows    bool
	off      int64
	data     []byte
	size     int64
	durable  bool
	doomed   bool
}

type attrOp struct {
	event int
	attr  attr
}

// nameOp is a change of entries that a model keeps whole, or splits by parts.
type nameOp struct {
	event    int
	kind     nodeKind
	exchange bool
	parts    []part
	doomed   bool
}

// part sets one entry; node 0 unbinds it.
type part struct {
	dir     NodeID
	name    string
	node    NodeID
	durable bool
}

func (op *nameOp) sameDir() bool { return op.parts[0].dir == op.parts[len(op.parts)-1].dir }

// durable is the set of the parts that are certain.
func (op *nameOp) durable() (set uint8) {
	for i, p := range op.parts {
		if p.durable {
			set |= 1 << i
		}
	}
	return set
}

func newHistory(log *Log) *history {
	h := &history{log: log, nodes: map[NodeID]*inode{}, names: map[NodeID]map[string]NodeID{}}
	for id, f := range log.base.nodes {
		h.nodes[id] = &inode{frozen: f}
	}
	for id, names := range log.base.names {
		h.names[id] = cloneNames(names)
	}
	return h
}

func cloneNames(names map[string]NodeID) map[string]NodeID {
	c := make(map[string]NodeID, len(names))
	for name, id := range names {
		c[name] = id
	}
	return c
}

// advance replays one event.
func (h *history) advance() {
	e := &h.log.Events[h.next]
	switch e.Op {
	case OpCreate, OpMkdir:
		h.nodes[e.Node] = &inode{frozen: frozen{kind: e.kind, attr: e.attr, target: e.target}}
		if e.kind == kindDir {
			h.names[e.Node] = map[string]NodeID{}
		}
		h.addName(e, part{dir: e.Dir, name: e.Name, node: e.Node})
	case OpLink:
		h.addName(e, part{dir: e.Dir, name: e.Name, node: e.Node})
	case OpUnlink, OpRmdir:
		h.addName(e, part{dir: e.Dir, name: e.Name})
	case OpRename:
		h.addName(e, part{dir: e.Dir2, name: e.Name2, node: e.Node}, part{dir: e.Dir, name: e.Name})
	case OpExchange:
		h.addName(e, part{dir: e.Dir, name: e.Name, node: e.Node2}, part{dir: e.Dir2, name: e.Name2, node: e.Node})
	case OpWrite, OpTruncate:
		n := h.nodes[e.Node]
		n.ops = append(n.ops, &fileOp{event: h.next, truncate: e.Op == OpTruncate, grows: e.Grows,
			off: e.Off, data: e.Data, size: e.Size})
	case OpAttr:
		n := h.nodes[e.Node]
		n.attrs = append(n.attrs, attrOp{h.next, e.attr})
	case OpSync, OpDatasync:
		h.sync(e)
	}
	h.next++
}

func (h *history) addName(e *Event, parts ...part) {
	h.ops = append(h.ops, &nameOp{event: h.next, kind: e.kind, exchange: e.Op == OpExchange, parts: parts})
}

func (h *history) sync(e *Event) {
	n := h.nodes[e.Node]
	n.syncData(e.Since, e.Failed)
	if !e.Failed && e.Op == OpSync {
		n.syncAttr(e.Since)
	}
	if n.kind == kindDir {
		h.syncDir(e.Node, e.Since, e.Failed)
	}
}

func (n *inode) syncData(since int, failed bool) {
	for _, op := range n.ops {
		if op.event >= since || op.durable {
			continue
		}
		if failed {
			op.doomed = true
		} else {
			op.durable = !op.doomed
		}
	}
	n.fold()
}

// fold moves the operations that are durable, up to the first that is not, into
// the durable content. The old content is left alone: states may share it.
func (n *inode) fold() {
	k := 0
	for k < len(n.ops) && n.ops[k].durable {
		k++
	}
	if k == 0 {
		return
	}
	data := slices.Clone(n.data)
	for _, op := range n.ops[:k] {
		data = op.apply(data)
	}
	n.data, n.summed, n.ops = data, false, n.ops[k:]
}

// apply is the operation done whole.
func (op *fileOp) apply(data []byte) []byte {
	if op.truncate {
		return grow(data, op.size)[:op.size]
	}
	data = grow(data, op.off+int64(len(op.data)))
	copy(data[op.off:], op.data)
	return data
}

func (n *inode) syncAttr(since int) {
	for len(n.attrs) > 0 && n.attrs[0].event < since {
		n.attr = n.attrs[0].attr
		n.attrs = n.attrs[1:]
	}
}

func (h *history) syncDir(dir NodeID, since int, failed bool) {
	for _, op := range h.ops {
		if op.event >= since {
			break
		}
		op.synced(dir, failed)
	}
	for len(h.ops) > 0 && h.ops[0].durable() == 1<<len(h.ops[0].parts)-1 {
		for _, p := range h.ops[0].parts {
			bindName(h.names, p)
		}
		h.ops = h.ops[1:]
	}
}

func (op *nameOp) synced(dir NodeID, failed bool) {
	for i := range op.parts {
		switch {
		case op.parts[i].dir != dir || op.parts[i].durable:
		case failed:
			op.doomed = true
		case !op.doomed:
			op.parts[i].durable = true
		}
	}
	if op.kind == kindDir && op.durable() != 0 {
		for i := range op.parts { // a directory is never in two places, nor in none
			op.parts[i].durable = true
		}
	}
}

func bindName(names map[NodeID]map[string]NodeID, p part) {
	if p.node == 0 {
		delete(names[p.dir], p.name)
	} else {
		names[p.dir][p.name] = p.node
	}
}
