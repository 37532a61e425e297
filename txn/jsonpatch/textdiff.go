package jsonpatch

import (
	"bytes"
	"hash/maphash"
)

// TextSplices compares two texts, as texts, and returns the splices that lead from a
// to b: by lines and, in long ones, by what stands between commas. New is a part of
// b. Time and memory are linear in the texts, with an allowance for finding what was
// moved.
func TextSplices(a, b []byte) []Splice {
	lo, hi := commonEnds(a, b)
	x, y := a[lo:len(a)-hi], b[lo:len(b)-hi]
	seed := maphash.MakeSeed()
	xs, ys := chunks(x), chunks(y)
	keepX, keepY := common(hashChunks(seed, xs), hashChunks(seed, ys))
	var list []Splice
	atX, atY := 0, 0 // where what is not in the list yet begins
	i, j := 0, 0
	posX, posY := 0, 0
	for i < len(xs) || j < len(ys) {
		switch {
		case i < len(xs) && !keepX[i]:
			posX += len(xs[i])
			i++
		case j < len(ys) && !keepY[j]:
			posY += len(ys[j])
			j++
		default:
			// A hash is not trusted: chunks that differ are replaced.
			if bytes.Equal(xs[i], ys[j]) {
				list = appendSplice(list, lo+atX, x[atX:posX], y[atY:posY])
				atX, atY = posX+len(xs[i]), posY+len(ys[j])
			}
			posX, posY = posX+len(xs[i]), posY+len(ys[j])
			i, j = i+1, j+1
		}
	}
	return appendSplice(list, lo+atX, x[atX:], y[atY:])
}

// chunks cuts a text behind each line end and, in lines of some length, each comma.
func chunks(text []byte) [][]byte {
	const long = 200
	var list [][]byte
	for len(text) > 0 {
		n := bytes.IndexByte(text, '\n') + 1
		if n == 0 {
			n = len(text)
		}
		if n > long {
			if comma := bytes.IndexByte(text[:n], ',') + 1; comma > 0 {
				n = comma
			}
		}
		list, text = append(list, text[:n]), text[n:]
	}
	return list
}

func hashChunks(seed maphash.Seed, list [][]byte) []uint64 {
	h := make([]uint64, len(list))
	for i, c := range list {
		h[i] = maphash.Bytes(seed, c)
	}
	return h
}
