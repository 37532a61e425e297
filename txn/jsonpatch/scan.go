package jsonpatch

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
)

// The functions of this file walk over text that was validated before, without
// validating it again: this is what makes an edit of a known document run at
// the speed of memory. They look at eight bytes at a time for the few that
// matter. On text that is not valid they stop at its end at the latest, and the
// caller notices that a delimiter isn't where it has to be.

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080

	quotes     = '"' * ones
	slashes    = '\\' * ones
	bracketOr  = 0x26 * ones // what "[", "]", "{" and "}" differ in
	bracketBit = 0x02 * ones
	bracketAll = 0x7f * ones // what they become with it
)

// zeroBytes has the high bit set in every zero byte of w. A byte behind a zero
// byte may be marked wrongly, so only the lowest mark may be relied upon.
func zeroBytes(w uint64) uint64 { return (w - ones) &^ w & highs }

func load8(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// skipString returns the place behind the string that starts at b[i].
func skipString(b []byte, i int) int {
	i++
	for i+8 <= len(b) {
		w := load8(b, i)
		mark := zeroBytes(w^quotes) | zeroBytes(w^slashes)
		if mark == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(mark) / 8
		if b[i] == '"' {
			return i + 1
		}
		i += 2
	}
	for i < len(b) {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
	return len(b)
}

// markZero has the high bit set in every zero byte of w, and in no other.
func markZero(w uint64) uint64 { return ^((w&^highs + ^uint64(highs)) | w) & highs }

// nextBracket returns the place of the first bracket from b[i] on that isn't
// within a string. b[i] itself must not be within one.
//
// It doesn't go from string to string, since every jump to a place that was
// just computed costs more than looking at some bytes: it counts quotes, and
// stops only at what may be a bracket or a backslash.
func nextBracket(b []byte, i int) int {
	count := 0 // of the quotes that open or close a string
	for i+8 <= len(b) {
		w := load8(b, i)
		quote := markZero(w ^ quotes)
		stop := zeroBytes(((w|bracketOr)^bracketAll)|(^(w^w>>1)&bracketBit)) | zeroBytes(w^slashes)
		if stop == 0 {
			count += bits.OnesCount64(quote)
			i += 8
			continue
		}
		bit := bits.TrailingZeros64(stop)
		count += bits.OnesCount64(quote & (1<<bit - 1))
		i += bit / 8
		switch {
		case count%2 == 0:
			// Outside of strings the other bytes that look like brackets to
			// the mask (Y, y, _ and DEL) don't occur.
			return i
		case b[i] == '\\':
			i += 2
		default:
			i++
		}
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			count++
		case c == '\\':
			i++
		case count%2 == 0 && c|0x26 == 0x7f:
			return i
		}
	}
	return len(b)
}

// skipContainer returns the place behind the object or array that starts at b[i].
func skipContainer(b []byte, i int) int {
	return scanNesting(b, i, nesting{high: math.MaxInt})
}

// depthOver returns the place of the first container in b that is nested deeper
// than limit, or -1.
func depthOver(b []byte, limit int) int {
	if opensAtMost(b, limit) {
		return -1
	}
	at := scanNesting(b, 0, nesting{low: -1, high: limit})
	if at == len(b) {
		return -1
	}
	return at
}

// opensAtMost reports whether b has at most limit bytes that open a container,
// counting those within strings too. It counts no further than it has to.
func opensAtMost(b []byte, limit int) bool {
	const chunk = 16 << 10
	for limit >= 0 && len(b) > 0 {
		next := b[:min(len(b), chunk)]
		limit -= bytes.Count(next, []byte("[")) + bytes.Count(next, []byte("{"))
		b = b[len(next):]
	}
	return limit >= 0
}

// skipValue returns the place behind the value that starts at b[i], or i where
// none does.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipContainer(b, i)
	}
	for i < len(b) && !endsScalar[b[i]] {
		i++
	}
	return i
}

// endsScalar holds the bytes that end a number, true, false or null.
var endsScalar = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, ',': true, ']': true, '}': true, ':': true, '/': true}

func isSpace(c byte) bool   { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
func isNewline(c byte) bool { return c == '\n' || c == '\r' }

// skipSpace returns the place of the first byte from b[i] on that isn't space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// byteAt is b[i], or 0 behind the end.
func byteAt(b []byte, i int) byte {
	if i < len(b) {
		return b[i]
	}
	return 0
}

// nameIs reports whether a member name, given with its quotes, means token.
// Names are compared by what they mean, so escapes don't matter.
func nameIs(quoted []byte, token string) bool {
	if len(quoted) < 2 {
		return false
	}
	inner := quoted[1 : len(quoted)-1]
	if string(inner) == token {
		return bytes.IndexByte(inner, '\\') < 0
	}
	if len(inner) <= len(token) || bytes.IndexByte(inner, '\\') < 0 {
		return false // an escape is longer than what it stands for
	}
	return unquote(quoted) == token
}
