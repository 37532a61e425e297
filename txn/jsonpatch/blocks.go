package jsonpatch

import (
	"math/bits"
	"sync/atomic"
)

// Text is scanned for brackets in blocks of 64 bytes where the processor can
// compare that many at once. One bit stands for one byte then, and what lies
// within strings comes out of a few operations on words instead of a walk from
// quote to quote. This is assembly because it has to be: the walk eight bytes at
// a time, which other processors are left with, takes seven times as long, and
// a text of many containers is walked over whole for its depth.

// blockSize is how many bytes one bracketMasks stands for.
const blockSize = 64

// Walking over longText bytes takes about as long as asking the processor what it can
// do. So whoever reads one short text never asks; after manyWalks it was worth it.
const (
	longText  = 64 << 10
	manyWalks = 256
)

var walks atomic.Int32

// byBlocks tells whether so many bytes are to be walked over in blocks.
func byBlocks(size int) bool {
	if size < longText && walks.Load() < manyWalks {
		walks.Add(1)
		return false
	}
	return hasBlocks()
}

// bracketMasks tells where the brackets outside of strings are in a block. The
// lowest bit stands for the first byte.
type bracketMasks struct{ open, closing uint64 }

// stringState is what the place between two blocks lies in.
type stringState struct {
	within  uint64 // all ones if it is within a string
	escaped uint64 // 1 if the byte behind it is escaped
}

// nesting is a walk over brackets.
type nesting struct {
	depth     int
	low, high int // where it ends: when depth sinks to low or rises above high
}

// scanNesting walks from b[i], which must not be within a string, until the
// depth is low, and returns the place behind that bracket, or until it is above
// high, and returns that bracket's place. If neither comes it returns len(b).
func scanNesting(b []byte, i int, n nesting) int {
	if len(b)-i >= blockSize && byBlocks(len(b)-i) {
		at, found := n.blocks(b, i)
		if found {
			return at
		}
		i = at
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

// blocks walks over as many whole blocks as there are, and on to a place that is
// not within a string.
func (n *nesting) blocks(b []byte, i int) (at int, found bool) {
	// Most containers are short, so few blocks are looked at first.
	var masks [16]bracketMasks
	var state stringState
	for ahead := 4; len(b)-i >= blockSize; ahead = min(2*ahead, len(masks)) {
		count := min(ahead, (len(b)-i)/blockSize)
		classifyBlocks(&b[i], count, &state, &masks[0])
		for _, m := range masks[:count] {
			opens, closes := bits.OnesCount64(m.open), bits.OnesCount64(m.closing)
			if n.depth-closes <= n.low || n.depth+opens > n.high {
				if at, found := n.block(m); found {
					return i + at, true
				}
			} else {
				n.depth += opens - closes
			}
			i += blockSize
		}
	}
	return state.leave(b, i), false
}

// block walks from bracket to bracket of a block; at is relative to it.
func (n *nesting) block(m bracketMasks) (at int, found bool) {
	for both := m.open | m.closing; both != 0; both &= both - 1 {
		at := bits.TrailingZeros64(both)
		if m.open>>at&1 != 0 {
			if n.depth++; n.depth > n.high {
				return at, true
			}
		} else if n.depth--; n.depth == n.low {
			return at + 1, true
		}
	}
	return 0, false
}

// leave returns the place from b[i] on that is no longer within a string.
func (s stringState) leave(b []byte, i int) int {
	switch {
	case s.within == 0:
		return i
	case s.escaped != 0:
		return skipString(b, i) // which doesn't look at b[i]
	}
	return skipString(b, i-1)
}
