package rewrite

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// key is a form of a word in which two words that name the same file are mostly
// equal: quotes are gone, variables are spelt in one way, and one that is set in
// one place only is replaced by what it is set to.
func (s *script) key(w *syntax.Word) string {
	return strings.TrimPrefix(s.keyOf(w.Parts, 4), "./")
}

func (s *script) keyOf(parts []syntax.WordPart, depth int) string {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(unescape(part.Value))
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			b.WriteString(s.keyOf(part.Parts, depth))
		case *syntax.ParamExp:
			b.WriteString(s.keyOfParam(part, depth))
		default:
			b.WriteString(s.src(part))
		}
	}
	return b.String()
}

func (s *script) keyOfParam(p *syntax.ParamExp, depth int) string {
	name := plainParam(p)
	if name == "" {
		return s.src(p)
	}
	if value := s.names.once(name); value != nil && depth > 0 && resolvable(value) {
		return s.keyOf(value.Parts, depth-1)
	}
	return "${" + name + "}"
}

// plainParam is the name in $name or ${name}, empty for any other expansion.
func plainParam(p *syntax.ParamExp) string {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.IsSet || p.Index != nil || p.Slice != nil ||
		p.Repl != nil || p.Exp != nil || p.Names != 0 || len(p.Modifiers) > 0 || p.Flags != nil || p.NestedParam != nil {
		return ""
	}
	return p.Param.Value
}

// resolvable tells whether a value means the same everywhere in the script, which
// one with parameters of a function or with commands does not.
func resolvable(w *syntax.Word) bool {
	ok := true
	syntax.Walk(w, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ParamExp:
			name := plainParam(n)
			ok = ok && name != "" && (name[0] == '_' || 'A' <= name[0] && name[0] <= 'z')
		case *syntax.CmdSubst, *syntax.ArithmExp, *syntax.ProcSubst, *syntax.ExtGlob, *syntax.BraceExp:
			ok = false
		}
		return true
	})
	return ok
}

// unescape takes the backslashes out of unquoted text.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// static is a word's value, where nothing in it is expanded.
func static(w *syntax.Word) (string, bool) {
	var b strings.Builder
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if strings.ContainsAny(part.Value, "*?[~") && !strings.Contains(part.Value, "\\") {
				return "", false
			}
			b.WriteString(unescape(part.Value))
		case *syntax.SglQuoted:
			if part.Dollar {
				return "", false
			}
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			for _, inner := range part.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok {
					return "", false
				}
				b.WriteString(unescapeQuoted(lit.Value))
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}

// unescapeQuoted takes out the backslashes that count within double quotes.
func unescapeQuoted(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`", "\\\n", "").Replace(text)
}

// variable is the name of the one variable that a word consists of.
func variable(w *syntax.Word) string {
	if len(w.Parts) != 1 {
		return ""
	}
	switch part := w.Parts[0].(type) {
	case *syntax.ParamExp:
		return plainParam(part)
	case *syntax.DblQuoted:
		if len(part.Parts) == 1 {
			if p, ok := part.Parts[0].(*syntax.ParamExp); ok {
				return plainParam(p)
			}
		}
	}
	return ""
}

// namesJSON tells whether a word names a JSON file, as far as its end shows, or
// the end of something that its variable is set to.
func (s *script) namesJSON(w *syntax.Word) bool {
	if endsInJSON(s.key(w)) {
		return true
	}
	for _, a := range s.names.assigns[variable(w)] {
		if endsInJSON(s.key(a.Value)) {
			return true
		}
	}
	return false
}

func endsInJSON(key string) bool { return strings.HasSuffix(strings.TrimRight(key, `}"'`), ".json") }

// namesLines tells whether a word names a file with a document on each line.
func (s *script) namesLines(w *syntax.Word) bool {
	key := strings.TrimRight(s.key(w), `}"'`)
	return strings.HasSuffix(key, ".jsonl") || strings.HasSuffix(key, ".ndjson")
}

// globs tells whether a word may become several.
func globs(w *syntax.Word) bool {
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			text := unescape(part.Value)
			_, within, braces := strings.Cut(text, "{")
			if strings.ContainsAny(text, "*?[") || braces && (strings.Contains(within, ",") || strings.Contains(within, "..")) {
				return true
			}
		case *syntax.ExtGlob, *syntax.BraceExp:
			return true
		}
	}
	return false
}

// mentions tells whether a word within n has the key.
func (s *script) mentions(n syntax.Node, key string) bool {
	found := false
	syntax.Walk(n, func(node syntax.Node) bool {
		if w, ok := node.(*syntax.Word); ok && s.key(w) == key {
			found = true
		}
		return !found
	})
	return found
}

// changesState tells whether a node sets a variable while it is expanded, which it
// can't do in a pipeline.
func changesState(n syntax.Node) bool {
	found := false
	syntax.Walk(n, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.ParamExp:
			if node.Exp != nil {
				op := node.Exp.Op
				found = found || op == syntax.AssignUnset || op == syntax.AssignUnsetOrNull ||
					op == syntax.ErrorUnset || op == syntax.ErrorUnsetOrNull
			}
		case *syntax.UnaryArithm:
			found = found || node.Op == syntax.Inc || node.Op == syntax.Dec
		case *syntax.BinaryArithm:
			found = found || strings.HasSuffix(node.Op.String(), "=") && node.Op != syntax.Eql &&
				node.Op != syntax.Neq && node.Op != syntax.Leq && node.Op != syntax.Geq
		case *syntax.CmdSubst:
			return false // it runs in a process of its own anyway
		}
		return !found
	})
	return found
}
