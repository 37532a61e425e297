package jsonpatch

import "math/bits"

// Text is scanned for brackets in blocks of 64 bytes where the processor can
// compare that many at once. One bit stands for one byte then, and what lies
// within strings comes out of a few operations on words instead of a walk from
// quote to quote.

// blockSize is how many bytes one blockMasks stands for.
const blockSize = 64

// blockMasks tells where the bytes that matter are in a block. The lowest bit
// stands for the first byte.
type blockMasks struct {
	quote, slash, open, closing uint64
}

// nesting is a walk over brackets.
type nesting struct {
	depth     int
	low, high int // where it ends: when depth sinks to low or rises above high

	within  uint64 // all ones if the block before ended within a string
	escaped uint64 // 1 if it ended with a backslash that escapes
}

// scanNesting walks from b[i], which must not be within a string, until the
// depth is low, and returns the place behind that bracket, or until it is above
// high, and returns that bracket's place. If neither comes it returns len(b).
func scanNesting(b []byte, i int, n nesting) int {
	if hasBlocks {
		at, found := n.blocks(b, i)
		if found {
			return at
		}
		i = n.leaveString(b, at)
	}
	return n.brackets(b, i, len(b))
}

// brackets walks from one bracket to the next, while they are before end.
func (n *nesting) brackets(b []byte, i, end int) int {
	for i = nextBracket(b, i); i < end; i = nextBracket(b, i+1) {
		if c := b[i]; c == '{' || c == '[' {
			if n.depth++; n.depth > n.high {
				return i
			}
		} else if n.depth--; n.depth == n.low {
			return i + 1
		}
	}
	return len(b)
}

// blocks walks over as many whole blocks as there are.
func (n *nesting) blocks(b []byte, i int) (at int, found bool) {
	// Most containers are short, so few blocks are looked at first.
	var masks [16]blockMasks
	for ahead := 2; len(b)-i >= blockSize; ahead = min(2*ahead, len(masks)) {
		count := min(ahead, (len(b)-i)/blockSize)
		classifyBlocks(&b[i], count, &masks[0])
		for j := range masks[:count] {
			if at, found := n.block(&masks[j]); found {
				return i + at, true
			}
			i += blockSize
		}
	}
	return i, false
}

// block walks over one block; at is relative to it.
func (n *nesting) block(m *blockMasks) (at int, found bool) {
	quote := m.quote
	if m.slash|n.escaped != 0 {
		quote &^= n.escapes(m.slash)
	}
	within := prefixXor(quote) ^ n.within
	n.within = uint64(int64(within) >> 63)
	open, closing := m.open&^within, m.closing&^within
	opens, closes := bits.OnesCount64(open), bits.OnesCount64(closing)
	if n.depth-closes > n.low && n.depth+opens <= n.high {
		n.depth += opens - closes
		return 0, false
	}
	for both := open | closing; both != 0; both &= both - 1 {
		at := bits.TrailingZeros64(both)
		if open>>at&1 != 0 {
			if n.depth++; n.depth > n.high {
				return at, true
			}
		} else if n.depth--; n.depth == n.low {
			return at + 1, true
		}
	}
	return 0, false
}

// escapes returns which bytes of a block a backslash before them escapes.
func (n *nesting) escapes(slash uint64) uint64 {
	escaped := n.escaped
	n.escaped = 0
	for slash &^= escaped; slash != 0; slash &= slash - 1 {
		next := bits.TrailingZeros64(slash) + 1
		if next == blockSize {
			n.escaped = 1
			break
		}
		escaped |= 1 << next
		slash &^= 1 << next
	}
	return escaped
}

// prefixXor sets every bit to the parity of the bits up to it.
func prefixXor(x uint64) uint64 {
	x ^= x << 1
	x ^= x << 2
	x ^= x << 4
	x ^= x << 8
	x ^= x << 16
	return x ^ x<<32
}

// leaveString returns the place from b[i] on, where the blocks ended, that is
// no longer within a string.
func (n *nesting) leaveString(b []byte, i int) int {
	switch {
	case n.within == 0:
		return i
	case n.escaped != 0:
		return skipString(b, i) // which doesn't look at b[i]
	}
	return skipString(b, i-1)
}
