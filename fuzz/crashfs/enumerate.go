package crashfs

import (
	"math/rand/v2"
	"slices"
)

// space is every disk state that a model allows after a number of events: a
// product of independent choices, each a digit with a radix. Digit 0 is the
// worst outcome of a choice; most says which is the best.
type space struct {
	h     *history
	m     Model
	radix []int
	most  []int

	names [][]uint8 // by choice of names, the sets of parts
	low   int       // with ordered names, so many operations are certain
	files []fileSpace
}

// fileSpace is the choices of one inode.
type fileSpace struct {
	id    NodeID
	node  *inode
	fates [][]fate // by operation; a single one where it is certain
	attrs bool     // whether a choice of attributes comes last
}

func newSpace(h *history, m Model) *space {
	sp := &space{h: h, m: m}
	if m.OrderedNames {
		sp.orderedNames()
	} else {
		sp.freeNames()
	}
	for _, id := range sp.reachable() {
		sp.addFile(id)
	}
	return sp
}

func (sp *space) add(radix, most int) {
	sp.radix = append(sp.radix, radix)
	sp.most = append(sp.most, most)
}

// orderedNames is one choice: how many operations persisted.
func (sp *space) orderedNames() {
	for i, op := range sp.h.ops {
		if op.durable() != 0 {
			sp.low = i + 1
		}
	}
	n := len(sp.h.ops) - sp.low
	if sp.m.NothingLost {
		sp.low, n = len(sp.h.ops), 0
	}
	sp.add(n+1, n)
}

// freeNames is one choice for each operation.
func (sp *space) freeNames() {
	for _, op := range sp.h.ops {
		certain := op.durable()
		sets := slices.DeleteFunc(sp.m.nameFates(op), func(set uint8) bool { return set&certain != certain })
		if sp.m.NothingLost {
			sets = []uint8{1<<len(op.parts) - 1}
		}
		if len(sets) > 1 && sets[0] == 1<<len(op.parts)-1 {
			sets[0], sets[1] = sets[1], sets[0] // digit 0 is the worst
		}
		sp.names = append(sp.names, sets)
		sp.add(len(sets), min(1, len(sets)-1))
	}
}

// reachable lists the inodes that some choice of names leaves a name, in the
// order of their creation.
func (sp *space) reachable() []NodeID {
	bound := map[NodeID]bool{rootID: true}
	for _, names := range sp.h.names {
		for _, id := range names {
			bound[id] = true
		}
	}
	for _, op := range sp.h.ops {
		for _, p := range op.parts {
			bound[p.node] = true
		}
	}
	delete(bound, 0)
	ids := make([]NodeID, 0, len(bound))
	for id := range bound {
		if n := sp.h.nodes[id]; len(n.ops)+len(n.attrs) > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (sp *space) addFile(id NodeID) {
	f := fileSpace{id: id, node: sp.h.nodes[id]}
	for _, op := range f.node.ops {
		fates := []fate{fateKept}
		if !op.durable && !sp.m.NothingLost {
			fates = sp.m.fates(op)
		}
		f.fates = append(f.fates, fates)
		sp.add(len(fates), min(1, len(fates)-1))
	}
	if n := len(f.node.attrs); n > 0 {
		f.attrs = true
		if sp.m.NothingLost {
			sp.add(1, 0)
		} else {
			sp.add(n+1, n)
		}
	}
	sp.files = append(sp.files, f)
}

// size is the number of choices, or limit where there are more.
func (sp *space) size(limit int) int {
	n := 1
	for _, r := range sp.radix {
		if n *= r; n >= limit {
			return limit
		}
	}
	return n
}

// build makes the state of a choice.
func (sp *space) build(digits []int, rng *rand.Rand, explain bool) *state {
	b := builder{h: sp.h, m: sp.m, rng: rng, explain: explain}
	s := &state{h: sp.h, files: make(map[NodeID]*found, len(sp.files))}
	at := 0
	next := func() int { at++; return digits[at-1] }
	b.setNames(s, sp.nameSets(next))
	for _, f := range sp.files {
		fates := make([]fate, len(f.fates))
		for i := range fates {
			fates[i] = f.fates[i][next()]
		}
		got := &found{data: f.node.data, attr: f.node.attr}
		if len(fates) > 0 {
			got.data = b.content(s, f.node, fates)
		}
		if f.attrs {
			got.attr = sp.attr(f.node, next())
		}
		s.files[f.id] = got
	}
	return s
}

func (sp *space) nameSets(next func() int) []uint8 {
	sets := make([]uint8, len(sp.h.ops))
	if !sp.m.OrderedNames {
		for i := range sets {
			sets[i] = sp.names[i][next()]
		}
		return sets
	}
	kept := sp.low + next()
	for i, op := range sp.h.ops[:kept] {
		sets[i] = 1<<len(op.parts) - 1
	}
	return sets
}

func (sp *space) attr(n *inode, digit int) attr {
	if sp.m.NothingLost {
		digit = len(n.attrs)
	}
	if digit == 0 {
		return n.attr
	}
	return n.attrs[digit-1].attr
}

// each calls f with the digits of up to limit choices: all of them where there
// are no more, else the corner cases and a sample. It stops when f is false.
// Few choices are made several times, because where a write is torn is drawn.
func (sp *space) each(limit int, rng *rand.Rand, f func(digits []int) bool) {
	const passes = 4
	if size := sp.size(limit + 1); size <= limit {
		for range min(passes, limit/size) {
			if !sp.all(f) {
				return
			}
		}
		return
	}
	n := 0
	try := func(digits []int) bool { n++; return n <= limit && f(digits) }
	for _, digits := range sp.corners() {
		if !try(digits) {
			return
		}
	}
	for try(sp.sample(rng)) {
	}
}

func (sp *space) all(f func(digits []int) bool) bool {
	digits := make([]int, len(sp.radix))
	for {
		if !f(digits) {
			return false
		}
		i := 0
		for ; i < len(digits); i++ {
			if digits[i]++; digits[i] < sp.radix[i] {
				break
			}
			digits[i] = 0
		}
		if i == len(digits) {
			return true
		}
	}
}

// corners are the states that most often show a fault: nothing undurable
// survived, everything did, all names without data, all data without names.
func (sp *space) corners() [][]int {
	names := len(sp.h.ops)
	if sp.m.OrderedNames {
		names = 1
	}
	least := make([]int, len(sp.radix))
	namesOnly := slices.Clone(least)
	copy(namesOnly, sp.most[:names])
	dataOnly := slices.Clone(sp.most)
	clear(dataOnly[:names])
	return [][]int{least, slices.Clone(sp.most), namesOnly, dataOnly}
}

// sample draws each digit. How much tends to survive is drawn first, so that
// states near both ends come up in long histories too.
func (sp *space) sample(rng *rand.Rand) []int {
	tendencies := [...]float64{0.1, 0.5, 0.9, 0.97}
	keep := tendencies[rng.IntN(len(tendencies))]
	digits := make([]int, len(sp.radix))
	for i, r := range sp.radix {
		switch x := rng.Float64(); {
		case x < keep:
			digits[i] = sp.most[i]
		case x < keep+(1-keep)/2:
			digits[i] = 0
		default:
			digits[i] = rng.IntN(r)
		}
	}
	return digits
}
