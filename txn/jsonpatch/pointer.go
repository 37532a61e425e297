package jsonpatch

import (
	"slices"
	"strconv"
	"strings"
)

// Pointer is an RFC 6901 JSON pointer as its reference tokens, unescaped. An
// empty or nil Pointer means the whole document.
type Pointer []string

// ParsePointer reads the string form of RFC 6901, section 3. Any other string
// gives a *[PointerError].
func ParsePointer(s string) (Pointer, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, &PointerError{s, `must be empty or start with "/"`}
	}
	tokens := strings.Split(s[1:], "/")
	for i, token := range tokens {
		unescaped, ok := unescapeToken(token)
		if !ok {
			return nil, &PointerError{s, `"~" must be followed by 0 or 1`}
		}
		tokens[i] = unescaped
	}
	return tokens, nil
}

func unescapeToken(token string) (string, bool) {
	if strings.IndexByte(token, '~') < 0 {
		return token, true
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c == '~' {
			i++
			switch {
			case i < len(token) && token[i] == '0':
			case i < len(token) && token[i] == '1':
				c = '/'
			default:
				return "", false
			}
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// The escapes of RFC 6901, section 3. A Replacer looks at every place once, so
// the "~" that it writes is not escaped again.
var escapeToken = strings.NewReplacer("~", "~0", "/", "~1")

// String returns the form that [ParsePointer] reads.
func (p Pointer) String() string {
	var b strings.Builder
	for _, token := range p {
		b.WriteByte('/')
		_, _ = escapeToken.WriteString(&b, token)
	}
	return b.String()
}

// HasPrefix reports whether q is p or points to a container of what p points to.
func (p Pointer) HasPrefix(q Pointer) bool {
	return len(p) >= len(q) && slices.Equal(p[:len(q)], q)
}

// arrayIndex reads the canonical index of RFC 6901, section 4: digits without
// a leading zero.
func arrayIndex(token string) (int, bool) {
	if !isWhole(token) {
		return 0, false
	}
	n, err := strconv.Atoi(token) // fails only for what no array can hold
	return n, err == nil
}

// isWhole reports whether text is digits without a leading zero.
func isWhole[T string | []byte](text T) bool {
	if len(text) == 0 || (text[0] == '0' && len(text) > 1) {
		return false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}
