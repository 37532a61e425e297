package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// parsePlace reads a place in a document: an RFC 6901 pointer or, where it begins
// with a dot, a jq path. It returns the pointer.
func parsePlace(word string) (string, error) {
	ptr, _, err := parseTarget(word)
	return ptr, err
}

// parseTarget also returns what a path says of its parents: the depths of those
// that have an index, and so are arrays. A pointer does not say.
func parseTarget(word string) (ptr string, arrays []int, err error) {
	if strings.HasPrefix(word, ".") {
		p, arrays, err := parsePath(word)
		return p.String(), arrays, err
	}
	if _, err := jsonpatch.ParsePointer(word); err != nil {
		return "", nil, &cli.Error{Exit: cli.ExitInvalid, Err: err}
	}
	return word, nil, nil
}

func parsePlaces(words []string) ([]string, error) {
	ptrs := make([]string, len(words))
	for i, w := range words {
		var err error
		if ptrs[i], err = parsePlace(w); err != nil {
			return nil, err
		}
	}
	return ptrs, nil
}

var (
	pathName   = pattern(`^[A-Za-z_][A-Za-z0-9_]*`)
	pathString = pattern(`^"(?:[^"\\]|\\.)*"`)
	pathIndex  = pattern(`^\[(0|[1-9][0-9]*)\]`)
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
		return m[1], len(m[0])
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
