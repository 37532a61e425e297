package change_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// place is a value of a document.
type place struct {
	at     jsonpatch.Pointer
	path   string // of jq
	up     *place // nil at the root
	kind   byte   // the first one of the value
	lo, hi int    // its text
	// before and behind are where its neighbours' text ends and begins, or its container's
	// own: what is between is the value's, its name's, its comments' and its commas'.
	before, behind int
	children       []*place
	text           []byte // strict JSON
}

func (p *place) key() string { return p.at[len(p.at)-1] }

// placesOf lists the values of a document, the root first.
func placesOf(t testing.TB, doc *jsonpatch.Document) (all []*place) {
	t.Helper()
	strict := doc.Blank()
	lo := 0
	for lo < len(strict) && (strict[lo] <= ' ' || strict[lo] >= 0x80) {
		lo++
	}
	require.Less(t, lo, len(strict))
	var walk func(p *place)
	walk = func(p *place) {
		p.kind, p.text = strict[p.lo], strict[p.lo:p.hi]
		all = append(all, p)
		if p.kind != '{' && p.kind != '[' {
			return
		}
		start := p.lo + 1
		jsonpatch.Children(strict, p.lo, func(name []byte, lo, hi int) {
			c := &place{up: p, lo: lo, hi: hi, before: start, behind: p.hi - 1}
			token := strconv.Itoa(len(p.children))
			c.path = p.path + "[" + token + "]"
			begin := lo
			if name != nil {
				token = jsonpatch.Unquote(name)
				c.path = fmt.Sprintf("%s[%s]", p.path, name)
				begin = bytes.LastIndex(strict[:lo], name)
			}
			if n := len(p.children); n > 0 {
				p.children[n-1].behind = begin
			}
			c.at = append(p.at[:len(p.at):len(p.at)], token)
			p.children = append(p.children, c)
			start = hi
		})
		for _, c := range p.children {
			walk(c)
		}
	}
	hi := jsonpatch.Skip(strict, lo)
	walk(&place{path: ".", lo: lo, hi: hi, before: 0, behind: len(strict)})
	return all
}

// sameText requires that nothing but text[lo:hi] was changed.
func sameText(t testing.TB, was, is *jsonpatch.Document, lo, hi int, what string) {
	t.Helper()
	old, now := was.Bytes(), is.Bytes()
	require.GreaterOrEqual(t, len(now), lo+len(old)-hi, "%s\n%s\n%s", what, old, now)
	require.True(t, bytes.Equal(old[:lo], now[:lo]), "before the place: %s\n%s\n%s", what, old, now)
	require.True(t, bytes.Equal(old[hi:], now[len(now)-len(old)+hi:]), "behind the place: %s\n%s\n%s", what, old, now)
}

// sameComments requires that all comments are there yet, but for those in the part.
func sameComments(t testing.TB, was, is *jsonpatch.Document, part []byte, what string) {
	t.Helper()
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") } // fmt indents what goes over lines
	left := map[string]int{}
	for _, c := range is.Comments() {
		left[words(c)]++
	}
	for _, c := range was.Comments() {
		c = words(c)
		if left[c]--; left[c] < 0 {
			require.Contains(t, words(string(part)), c, "%s: a comment is lost\n%s\n%s", what, was.Bytes(), is.Bytes())
		}
	}
}

// goesOfLines counts the lines that are not there any more, as git diff does where they
// are in one place.
func goesOfLines(was, is []byte) int {
	a, b := bytes.SplitAfter(was, []byte("\n")), bytes.SplitAfter(is, []byte("\n"))
	n := 0
	for n < len(a) && n < len(b) && bytes.Equal(a[n], b[n]) {
		n++
	}
	a, b = a[n:], b[n:]
	for len(a) > 0 && len(b) > 0 && bytes.Equal(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a)
}
