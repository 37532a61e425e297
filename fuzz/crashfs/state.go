package crashfs

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
)

const sector = 512

var hashSeed = maphash.MakeSeed()

// state is one possible disk.
type state struct {
	h     *history
	names map[NodeID]map[string]NodeID
	files map[NodeID]*found // of the inodes that have undurable operations
	lost  []string          // what did not survive whole, for people
}

// found is an inode as the crash left it.
type found struct {
	data []byte
	attr attr
}

// builder makes states from choices. Choices are numbered as the dimensions of
// the space are.
type builder struct {
	h       *history
	m       Model
	rng     *rand.Rand
	explain bool
}

// setNames applies to the durable names those parts of each operation that the
// choice says.
func (b *builder) setNames(s *state, sets []uint8) {
	s.names = make(map[NodeID]map[string]NodeID, len(b.h.names))
	for id, names := range b.h.names {
		s.names[id] = names
	}
	copied := map[NodeID]bool{}
	for i, op := range b.h.ops {
		for k, p := range op.parts {
			if sets[i]&(1<<k) == 0 {
				continue
			}
			if !copied[p.dir] {
				copied[p.dir] = true
				s.names[p.dir] = cloneNames(s.names[p.dir])
			}
			bindName(s.names, p)
		}
		if all := uint8(1)<<len(op.parts) - 1; b.explain && sets[i] != all {
			s.lost = append(s.lost, fmt.Sprintf("event %d: %v: %s", op.event, b.h.log.Events[op.event], lostParts(sets[i])))
		}
	}
}

func lostParts(set uint8) string {
	if set == 0 {
		return "lost"
	}
	return fmt.Sprintf("half done (parts %02b)", set)
}

// content replays the undurable operations of a file by their fates.
func (b *builder) content(s *state, n *inode, fates []fate) []byte {
	data := slices.Clone(n.data)
	var short, untruncated bool
	for i, op := range n.ops {
		f := fates[i]
		if b.m.OrderedData && !op.durable && (untruncated || short && op.grows) {
			f = fateLost
		}
		data = b.applyFate(data, op, f)
		short = short || f != fateKept && op.grows
		untruncated = untruncated || f == fateLost && op.truncate && !op.grows
		if b.explain && f != fateKept {
			s.lost = append(s.lost, fmt.Sprintf("event %d: %v: %s", op.event, b.h.log.Events[op.event], fateNames[f]))
		}
	}
	return data
}

func (b *builder) applyFate(data []byte, op *fileOp, f fate) []byte {
	size := int64(len(op.data))
	switch f {
	case fateKept:
		return op.apply(data)
	case fateTorn:
		return (&fileOp{off: op.off, data: op.data[:b.tear(op)]}).apply(data)
	case fateTail:
		cut := b.rng.Int64N(size)
		return (&fileOp{off: op.off + cut, data: op.data[cut:]}).apply(data)
	case fateZeros:
		return (&fileOp{off: op.off, data: make([]byte, size)}).apply(data)
	case fateGarbage:
		junk := make([]byte, size)
		for i := range junk {
			junk[i] = byte(b.rng.Uint32())
		}
		return (&fileOp{off: op.off, data: junk}).apply(data)
	case fateSectors:
		return b.someSectors(data, op)
	}
	return data
}

// tear is how many bytes of the front survive: cut at any byte in the weakest
// model, else at a sector of the disk.
func (b *builder) tear(op *fileOp) int64 {
	size := int64(len(op.data))
	if b.m.Garbage {
		return b.rng.Int64N(size)
	}
	first, end := op.off/sector+1, (op.off+size-1)/sector
	if end < first {
		return 0
	}
	return (first+b.rng.Int64N(end-first+1))*sector - op.off
}

// someSectors keeps a random subset of sectors, or of pages where the write is
// large. The size grows to the whole.
func (b *builder) someSectors(data []byte, op *fileOp) []byte {
	unit := int64(sector)
	if len(op.data) > 4*4096 || b.rng.IntN(4) == 0 {
		unit = 4096
	}
	end := op.off + int64(len(op.data))
	data = grow(data, end)
	for at := op.off; at < end; {
		next := min((at/unit+1)*unit, end)
		if b.rng.IntN(2) == 0 {
			copy(data[at:next], op.data[at-op.off:next-op.off])
		}
		at = next
	}
	return data
}

// sum identifies the tree: equal trees have equal sums within one process.
func (s *state) sum() uint64 {
	var mh maphash.Hash
	mh.SetSeed(hashSeed)
	inodes := map[NodeID]int{}
	s.walk(rootID, "", func(path string, id NodeID, n *inode, f found) {
		mh.WriteString(path)
		var buf [32]byte
		first, again := inodes[id]
		if !again {
			inodes[id], first = len(inodes), len(inodes)
		}
		binary.LittleEndian.PutUint64(buf[0:], uint64(first))
		binary.LittleEndian.PutUint32(buf[8:], uint32(f.attr.mode))
		binary.LittleEndian.PutUint32(buf[12:], uint32(f.attr.uid))
		binary.LittleEndian.PutUint32(buf[16:], uint32(f.attr.gid))
		binary.LittleEndian.PutUint64(buf[20:], s.contentSum(id, n, f))
		buf[28] = byte(n.kind)
		mh.Write(buf[:])
		mh.WriteString(n.target)
		mh.WriteByte(0)
	})
	return mh.Sum64()
}

func (s *state) contentSum(id NodeID, n *inode, f found) uint64 {
	if s.files[id] != nil {
		return maphash.Bytes(hashSeed, f.data)
	}
	if !n.summed {
		n.sum, n.summed = maphash.Bytes(hashSeed, n.data), true
	}
	return n.sum
}

// walk visits what is reachable, parents first, names in order. A directory
// that half a history put into two places is visited at the first.
func (s *state) walk(dir NodeID, path string, visit func(path string, id NodeID, n *inode, f found)) {
	seen := map[NodeID]bool{rootID: true}
	var down func(dir NodeID, path string)
	down = func(dir NodeID, path string) {
		for _, name := range sortedNames(s.names[dir]) {
			id := s.names[dir][name]
			n := s.h.nodes[id]
			if n.kind == kindDir && seen[id] {
				continue
			}
			seen[id] = true
			full := path + "/" + name
			visit(full, id, n, s.get(id, n))
			if n.kind == kindDir {
				down(id, full)
			}
		}
	}
	down(dir, path)
}

func (s *state) get(id NodeID, n *inode) found {
	if f := s.files[id]; f != nil {
		return *f
	}
	return found{n.data, n.attr}
}

// describe lists the tree.
func (s *state) describe() string {
	var sb strings.Builder
	s.walk(rootID, "", func(path string, id NodeID, n *inode, f found) {
		fmt.Fprintf(&sb, "  %v %q", f.attr.mode, strings.TrimPrefix(path, "/"))
		if n.kind == kindFile {
			fmt.Fprintf(&sb, " %d bytes %.60q", len(f.data), f.data)
		}
		if f.attr.mode.Type() == fs.ModeSymlink {
			fmt.Fprintf(&sb, " -> %q", n.target)
		}
		fmt.Fprintf(&sb, " [inode %d]\n", id)
	})
	return sb.String()
}
