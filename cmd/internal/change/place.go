package change

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Place reads a place in a document: an RFC 6901 pointer or, where it begins
// with a dot, a jq path. It returns the pointer.
func Place(word string) (string, error) {
	ptr, _, err := Target(word)
	return ptr, err
}

// Target also returns what a path says of its parents: the depths of those
// that have an index, and so are arrays. A pointer does not say.
func Target(word string) (ptr string, arrays []int, err error) {
	if strings.HasPrefix(word, ".") {
		p, arrays, err := parsePath(word)
		return p.String(), arrays, err
	}
	p, err := jsonpatch.ParsePointer(word)
	if err != nil {
		return "", nil, &cli.Error{Exit: cli.ExitInvalid, Err: err}
	}
	if deepest := jsonpatch.DefaultLimits().MaxDepth; len(p) > deepest {
		return "", nil, cli.Invalidf("a pointer of %d levels: a document has at most %d", len(p), deepest)
	}
	return word, nil, nil
}

func parsePlaces(words []string) ([]string, error) {
	ptrs := make([]string, len(words))
	for i, w := range words {
		var err error
		if ptrs[i], err = Place(w); err != nil {
			return nil, err
		}
	}
	return ptrs, nil
}

var (
	pathName   = cli.Pattern(`^[A-Za-z_][A-Za-z0-9_]*`)
	pathString = cli.Pattern(`^"(?:[^"\\]|\\.)*"`)
	pathIndex  = cli.Pattern(`^\[(0|-?[1-9][0-9]*)\]`)
)

// parsePath reads a jq path of names and indices: .a.b[0], ."a b", .["a b"]. jq
// knows more than paths; that is refused.
func parsePath(path string) (p jsonpatch.Pointer, arrays []int, err error) {
	if path == "." {
		return nil, nil, nil
	}
	rest := path
	for rest != "" {
		token, n := pathStep(rest, len(p) == 0)
		if n == 0 {
			return nil, nil, notAPath(path, rest)
		}
		if pathIndex().MatchString(strings.TrimPrefix(rest[:n], ".")) {
			arrays = append(arrays, len(p))
		}
		p, rest = append(p, token), rest[n:]
	}
	return p, arrays, nil
}

// pathStep reads one step and its length, 0 where there is none.
func pathStep(s string, first bool) (token string, n int) {
	if strings.HasPrefix(s, ".[") {
		if token, n = pathBracket(s[1:]); n > 0 {
			return token, n + 1
		}
		return "", 0
	}
	if s[0] == '[' && !first {
		return pathBracket(s)
	}
	if s[0] != '.' {
		return "", 0
	}
	if name := pathName().FindString(s[1:]); name != "" {
		return name, len(name) + 1
	}
	if token, n = pathQuoted(s[1:]); n > 0 {
		return token, n + 1
	}
	return "", 0
}

func pathBracket(s string) (token string, n int) {
	if m := pathIndex().FindStringSubmatch(s); m != nil {
		return strings.Replace(m[1], "-", fromEnd, 1), len(m[0])
	}
	token, n = pathQuoted(s[1:])
	if n == 0 || !strings.HasPrefix(s[1+n:], "]") {
		return "", 0
	}
	return token, n + 2
}

// pathQuoted reads a string as jq does: a JSON string. One with an interpolation,
// \(...), is none.
func pathQuoted(s string) (token string, n int) {
	quoted := pathString().FindString(s)
	if quoted == "" || json.Unmarshal([]byte(quoted), &token) != nil {
		return "", 0
	}
	return token, len(quoted)
}

func notAPath(path, rest string) error {
	at := len(path) - len(rest)
	e := cli.Invalidf("jq path %s: unexpected %s at byte %d, expected .name, .[\"name\"] or [0]", strconv.Quote(path), strconv.Quote(rest), at)
	return e.WithHint("a place is one value, named by a plain path, such as .a.b[0], or by a pointer, such as /a/b/0; a jq filter is not a place")
}

// Assignment is a place and what is put there; arrays are as for txn's SetPath.
type Assignment struct {
	Ptr    string
	Arrays []int
	Value  json.RawMessage
}

// Places reads several places.
func Places(words []string) ([]string, error) { return parsePlaces(words) }

// Delete removes the values at places of a file, which are those of the document as it
// is: what is inside before what it is in, and later elements first.
func Delete(tx *txn.Tx, file string, places []string) error {
	parsed := make([]jsonpatch.Pointer, len(places))
	for i, place := range places {
		ptr, err := Resolve(tx, file, place)
		if err != nil {
			return err
		}
		if parsed[i], err = jsonpatch.ParsePointer(ptr); err != nil {
			return err
		}
	}
	slices.SortFunc(parsed, func(a, b jsonpatch.Pointer) int { return slices.CompareFunc(b, a, compareTokens) })
	parsed = slices.CompactFunc(parsed, func(a, b jsonpatch.Pointer) bool { return slices.Equal(a, b) })
	for _, p := range parsed {
		if err := tx.Delete(file, p.String()); err != nil {
			return err
		}
	}
	return nil
}

// compareTokens compares indices by number and all else by bytes.
func compareTokens(a, b string) int {
	m, errA := strconv.ParseUint(a, 10, 63)
	n, errB := strconv.ParseUint(b, 10, 63)
	if errA == nil && errB == nil && m != n {
		return cmp.Compare(m, n)
	}
	return cmp.Compare(a, b)
}
