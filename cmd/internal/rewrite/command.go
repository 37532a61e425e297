package rewrite

import (
	"path"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// call is a simple command.
type call struct {
	stmt *syntax.Stmt
	expr *syntax.CallExpr
	name string         // without directory; empty where it isn't plain text
	args []*syntax.Word // behind the name
}

// callOf is the simple command that a statement is.
func callOf(stmt *syntax.Stmt) (*call, bool) {
	expr, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || stmt.Background || stmt.Coprocess || len(expr.Args) == 0 {
		return nil, false
	}
	c := &call{stmt: stmt, expr: expr, args: expr.Args}
	for len(c.args) > 0 {
		c.name, c.args = commandName(c.args[0]), c.args[1:]
		if c.name != "command" || len(c.args) == 0 || strings.HasPrefix(c.args[0].Lit(), "-") {
			break
		}
	}
	return c, true
}

func commandName(w *syntax.Word) string {
	name, ok := static(w)
	switch {
	case w.Lit() == "[":
		return "["
	case !ok || name == "":
		return ""
	}
	return path.Base(name)
}

// operands are the arguments that are no options. ok is false where one of the
// options is not among the allowed letters.
func (c *call) operands(allowed string) (words []*syntax.Word, ok bool) {
	options := true
	for _, w := range c.args {
		text, _ := static(w)
		switch {
		case options && text == "--":
			options = false
		case options && len(text) > 1 && text[0] == '-':
			if strings.Trim(text[1:], allowed) != "" {
				return nil, false
			}
		default:
			words = append(words, w)
		}
	}
	return words, true
}

// external tells whether a command is a program that jtx can run, as opposed to
// a function or builtin of the shell.
func (s *script) external(c *call) bool {
	if c.name == "" {
		// A variable such as $JQ names a program.
		return strings.Contains(strings.ToLower(variable(c.expr.Args[0])), "jq")
	}
	return s.names.funcs[c.name] == nil && programs()[c.name]
}

// programs are commands that print documents and are no builtins.
var programs = setOf("jq gojq jaq yq sed awk gawk python python3 node ruby perl php deno bun " +
	"curl wget http aws gcloud az kubectl helm docker podman gh glab git npm yarn pnpm go cargo terraform tofu vault consul " +
	"sqlite3 psql mysql envsubst xargs timeout nice env stdbuf base64 openssl gzip gunzip zcat tac sort date lsblk ip ss " +
	"jsonnet jo jc dasel fx gron cue yq-go cat head tail tr grep")

// setOf makes the set when it is first used: most runs of the program use none.
func setOf(words string) func() map[string]bool {
	return sync.OnceValue(func() map[string]bool {
		set := map[string]bool{}
		for _, w := range strings.Fields(words) {
			set[w] = true
		}
		return set
	})
}

// isPrinter tells whether a command is a builtin that only prints its arguments.
func (s *script) isPrinter(c *call) bool {
	return (c.name == "echo" || c.name == "printf") && s.names.funcs[c.name] == nil && !strings.HasPrefix(firstLit(c.args), "-v")
}

func firstLit(words []*syntax.Word) string {
	if len(words) == 0 {
		return ""
	}
	return words[0].Lit()
}

// output is where the standard output of a statement goes. plain is false where
// the redirections do more than that.
func output(stmt *syntax.Stmt) (out *syntax.Redirect, plain bool) {
	plain = true
	for _, r := range stmt.Redirs {
		switch r.Op {
		case syntax.RdrOut, syntax.RdrClob:
			if r.N == nil || r.N.Value == "1" {
				plain = plain && out == nil
				out = r
			}
		case syntax.AppOut:
			plain = plain && r.N != nil && r.N.Value != "1"
		case syntax.RdrAll, syntax.RdrAllClob, syntax.AppAll, syntax.AppAllClob:
			plain = false
		case syntax.DplOut:
			// 2>&1 behind > FILE puts messages into the document.
			plain = plain && (out == nil || r.N == nil)
		}
	}
	return out, plain
}

// input is where the standard input of a statement comes from.
func input(stmt *syntax.Stmt) *syntax.Redirect {
	for _, r := range stmt.Redirs {
		switch r.Op {
		case syntax.RdrIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
			if r.N == nil || r.N.Value == "0" {
				return r
			}
		}
	}
	return nil
}

// otherRedirects is the text of the redirections but for some.
func (s *script) otherRedirects(stmt *syntax.Stmt, but ...*syntax.Redirect) string {
	var b strings.Builder
next:
	for _, r := range stmt.Redirs {
		for _, x := range but {
			if r == x {
				continue next
			}
		}
		b.WriteString(" " + s.text[r.Pos().Offset():r.Word.End().Offset()])
	}
	return b.String()
}

func hasHeredoc(n syntax.Node) bool {
	found := false
	syntax.Walk(n, func(node syntax.Node) bool {
		if r, ok := node.(*syntax.Redirect); ok && r.Hdoc != nil {
			found = true
		}
		return !found
	})
	return found
}

// stages takes a pipeline apart.
func stages(stmt *syntax.Stmt) []*syntax.Stmt {
	b, ok := stmt.Cmd.(*syntax.BinaryCmd)
	if !ok || b.Op != syntax.Pipe || stmt.Negated || stmt.Background || len(stmt.Redirs) > 0 {
		return []*syntax.Stmt{stmt}
	}
	return append(stages(b.X), stages(b.Y)...)
}

// bare is a statement without its "!", as a span.
func (s *script) bare(stmt *syntax.Stmt) span {
	at := whole(stmt)
	if stmt.Negated && stmt.Cmd != nil {
		at.from = int(stmt.Cmd.Pos().Offset())
		for _, r := range stmt.Redirs {
			at.from = min(at.from, int(r.Pos().Offset()))
		}
	}
	return at
}

// whole is a statement without the separator behind it.
func whole(stmt *syntax.Stmt) span {
	at := span{int(stmt.Pos().Offset()), int(stmt.Pos().Offset())}
	if stmt.Cmd != nil {
		at.to = int(stmt.Cmd.End().Offset())
	}
	for _, r := range stmt.Redirs {
		at.to = max(at.to, int(r.Word.End().Offset()))
	}
	return at
}
