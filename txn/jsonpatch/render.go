package jsonpatch

// render collects the text of the working tree as pieces.
type render struct {
	frags []frag
	size  int64
}

func (r *render) put(f frag) {
	if len(f.b) > 0 {
		r.frags = append(r.frags, f)
		r.size += int64(len(f.b))
	}
}

// value puts a value, which ends before limit. It reports true if it put
// everything up to the limit, because nobody had to find out where it ends.
func (r *render) value(v *value, limit int) (toLimit bool) {
	if v.hi >= 0 {
		limit = v.hi
	}
	if v.body != nil {
		toLimit = r.body(v.body, limit)
	} else {
		r.put(v.src.frag(v.lo, limit))
		toLimit = true
	}
	return toLimit && v.hi < 0
}

func (r *render) body(b *body, limit int) (toLimit bool) {
	r.put(b.head)
	for it := b.first; it != nil; it = it.next {
		if it.slot == nil {
			r.put(b.src.frag(it.lo, it.hi))
		} else if r.slot(b, it.slot, limit) {
			return true
		}
	}
	if !b.closed {
		r.put(b.src.frag(b.scan, limit))
		return true
	}
	r.put(b.tail)
	r.put(b.src.frag(b.closeAt, b.closeAt+1))
	return false
}

func (r *render) slot(b *body, s *slot, limit int) (toLimit bool) {
	r.put(s.lead)
	r.put(s.name)
	r.put(s.mid)
	if r.value(s.val, limit) {
		return true
	}
	if s.partial {
		r.put(b.src.frag(s.val.end(), limit))
		return true
	}
	r.put(s.post)
	r.put(s.comma)
	r.put(s.trail)
	return false
}

// bytes joins the pieces.
func (r *render) bytes() []byte {
	out := make([]byte, 0, r.size)
	for _, f := range r.frags {
		out = append(out, f.b...)
	}
	return out
}
