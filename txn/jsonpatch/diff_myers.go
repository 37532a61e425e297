package jsonpatch

// A myers finds a longest common subsequence of x and y in linear space, after
// E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica
// 1 (1986), section 4b: two searches, one from either end, meet in the middle of
// a shortest edit script, and each half is solved the same way.
//
// The searches take time in proportion to the sequences times their
// differences. A search that has found patience differences gives up the
// shortest script, and goes on from the furthest point that it has reached. When
// all steps are used up, what is left counts as different.
type myers struct {
	x, y         []uint64
	keepX, keepY []bool // what is common, the result
	forth, back  []int  // furthest x for each diagonal, of either search
	steps        int
}

// These bound a comparison to a fraction of a second.
const (
	patience = 1024
	allSteps = 1 << 25
)

// common returns which elements of x and of y belong to a common subsequence,
// a longest one unless x and y are long and very different.
func common(x, y []uint64) (keepX, keepY []bool) {
	m := &myers{
		x: x, y: y,
		keepX: make([]bool, len(x)), keepY: make([]bool, len(y)),
		forth: make([]int, len(x)+len(y)+3), back: make([]int, len(x)+len(y)+3),
		steps: allSteps,
	}
	m.compare(0, len(x), 0, len(y))
	return m.keepX, m.keepY
}

func (m *myers) compare(xlo, xhi, ylo, yhi int) {
	for {
		for xlo < xhi && ylo < yhi && m.x[xlo] == m.y[ylo] {
			m.keepX[xlo], m.keepY[ylo] = true, true
			xlo++
			ylo++
		}
		for xlo < xhi && ylo < yhi && m.x[xhi-1] == m.y[yhi-1] {
			xhi--
			yhi--
			m.keepX[xhi], m.keepY[yhi] = true, true
		}
		if xlo == xhi || ylo == yhi || m.steps < 0 {
			return
		}
		xm, ym := m.middle(xlo, xhi, ylo, yhi)
		m.compare(xlo, xm, ylo, ym)
		xlo, ylo = xm, ym
	}
}

// middle returns a point on a shortest path through the box, and neither of its
// corners. The box must share no first and no last element.
func (m *myers) middle(xlo, xhi, ylo, yhi int) (x, y int) {
	s := search{myers: m, xlo: xlo, xhi: xhi, ylo: ylo, yhi: yhi, w: xhi - xlo, h: yhi - ylo}
	odd := (s.w-s.h)&1 != 0
	for d := 0; ; d++ {
		if k, met := s.advance(d, false, odd); met {
			return s.point(k, false)
		}
		if k, met := s.advance(d, true, !odd); met {
			return s.point(k, true)
		}
		if d >= patience {
			return s.furthest(d)
		}
	}
}

// A search is the box xlo:xhi by ylo:yhi, w wide and h high. On diagonal k, x-y
// is k; the search from the end counts both from the far corner.
type search struct {
	*myers
	xlo, xhi, ylo, yhi, w, h int
}

func (s *search) reached(back bool) []int {
	if back {
		return s.back
	}
	return s.forth
}

// advance takes the d-th step on every diagonal, -1 standing for one that can't
// be reached inside the box. With meet it returns the diagonal where the search
// met the other one.
func (s *search) advance(d int, back, meet bool) (diagonal int, met bool) {
	v, other, zero := s.reached(back), s.reached(!back), s.h+1
	otherD := d
	if !back {
		otherD--
	}
	first := -d
	if d > s.h {
		first = -s.h + (d-s.h)&1
	}
	for k := first; k <= d && k <= s.w; k += 2 {
		s.steps--
		x := -1
		if d == 0 {
			x = 0
		}
		if k > -d && k > -s.h && v[zero+k-1] >= 0 && v[zero+k-1] < s.w {
			x = v[zero+k-1] + 1
		}
		if down := zero + k + 1; k < d && k < s.w && v[down] > x && v[down]-k <= s.h {
			x = v[down]
		}
		if x >= 0 {
			from := x
			x = s.slide(x, k, back)
			s.steps -= x - from
		}
		v[zero+k] = x
		opposite := s.w - s.h - k
		if meet && x >= 0 && opposite <= otherD && -opposite <= otherD && x+other[zero+opposite] >= s.w &&
			other[zero+opposite] >= 0 {
			return k, true
		}
	}
	return 0, false
}

// slide follows the equal elements from x on diagonal k.
func (s *search) slide(x, k int, back bool) int {
	if back {
		for x < s.w && x-k < s.h && s.x[s.xhi-1-x] == s.y[s.yhi-1-(x-k)] {
			x++
		}
		return x
	}
	for x < s.w && x-k < s.h && s.x[s.xlo+x] == s.y[s.ylo+x-k] {
		x++
	}
	return x
}

// point is where the search stands on diagonal k.
func (s *search) point(k int, back bool) (x, y int) {
	x = s.reached(back)[s.h+1+k]
	if back {
		return s.xhi - x, s.yhi - (x - k)
	}
	return s.xlo + x, s.ylo + x - k
}

// furthest gives up: it returns the point that either search came furthest to.
func (s *search) furthest(d int) (x, y int) {
	best, bestK, bestBack := -1, 0, false
	for _, back := range []bool{false, true} {
		v := s.reached(back)
		for k := -d; k <= d; k += 2 {
			if k < -s.h || k > s.w {
				continue
			}
			if at := v[s.h+1+k]; at >= 0 && 2*at-k > best {
				best, bestK, bestBack = 2*at-k, k, back
			}
		}
	}
	return s.point(bestK, bestBack)
}
