package rewrite

import (
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// move is a command that puts a temporary file in a file's place.
type move struct {
	stmt     *syntax.Stmt
	from, to *syntax.Word
	copies   bool // the temporary file stays
}

func (s *script) moveOf(stmt *syntax.Stmt) (*move, bool) {
	c, ok := callOf(stmt)
	if !ok || stmt.Negated {
		return nil, false
	}
	switch c.name {
	case "mv", "cp":
		words, ok := c.operands("fT")
		out, plain := output(stmt)
		if ok && len(words) == 2 && (out == nil && plain || silent(stmt)) {
			return &move{stmt, words[0], words[1], c.name == "cp"}, true
		}
	case "cat":
		out, plain := output(stmt)
		if len(c.args) == 1 && plain && out != nil && input(stmt) == nil {
			return &move{stmt, c.args[0], out.Word, true}, true
		}
	}
	return nil, false
}

// noteMove remembers which files are moved or copied to somewhere, so that writing
// them is not taken for writing a document in its place.
func (s *script) noteMove(stmt *syntax.Stmt) {
	m, ok := s.moveOf(stmt)
	// What a JSON file is copied to is a backup, mostly.
	if ok && !(m.copies && s.namesJSON(m.from)) {
		s.moved[s.key(m.from)] = true
	}
	if c, ok := callOf(stmt); ok && c.name == "jtx" && firstLit(c.args) == "put" && len(c.args) > 2 {
		s.moved[s.key(c.args[len(c.args)-1])] = true
	}
}

// isForeignMove tells sudo mv TEMP FILE.
func (s *script) isForeignMove(stmt *syntax.Stmt) bool {
	c, ok := callOf(stmt)
	return ok && (c.name == "sudo" || c.name == "doas") && len(c.args) > 2 && s.namesJSON(c.args[len(c.args)-1]) &&
		(c.args[0].Lit() == "mv" || c.args[0].Lit() == "cp")
}

// isCheck tells a command that only asks whether the temporary file is a JSON
// document, which jtx does itself.
func (s *script) isCheck(stmt *syntax.Stmt, temp string) bool {
	if stmt.Negated {
		return false
	}
	if t, ok := stmt.Cmd.(*syntax.TestClause); ok {
		u, ok := t.X.(*syntax.UnaryTest)
		if !ok || u.Op != syntax.TsSmbLink && u.Op != syntax.TsNoEmpty {
			return false
		}
		w, ok := u.X.(*syntax.Word)
		return ok && u.Op == syntax.TsNoEmpty && s.key(w) == temp
	}
	c, ok := callOf(stmt)
	if !ok {
		return false
	}
	var words []string
	last := false
	for _, w := range c.args {
		words = append(words, w.Lit())
		last = last || s.key(w) == temp
	}
	switch c.name {
	case "[", "test":
		return len(words) >= 2 && words[0] == "-s" && s.key(c.args[1]) == temp && len(words) <= 3
	case "jq":
		return s.isJQCheck(c, temp)
	case "python", "python3":
		return last && len(words) == 3 && words[0] == "-m" && words[1] == "json.tool" && silent(stmt)
	case "chmod", "chown":
		return last && len(words) == 2 && len(c.args[0].Parts) > 0 && hasPrefixLit(c.args[0], "--reference=")
	case "sync":
		return true
	}
	return false
}

func (s *script) isJQCheck(c *call, temp string) bool {
	words, ok := c.operands("e")
	if !ok || len(words) == 0 || len(words) > 2 {
		return false
	}
	in := input(c.stmt)
	named := len(words) == 2 && s.key(words[1]) == temp || len(words) == 1 && in != nil && s.key(in.Word) == temp
	filter, _ := static(words[0])
	switch {
	case !named:
		return false
	case filter == "empty":
		return len(c.args) == len(words) // with -e it would always fail
	case filter == "." || filter == "type":
		return silent(c.stmt)
	}
	return false
}

func hasPrefixLit(w *syntax.Word, prefix string) bool {
	lit, ok := w.Parts[0].(*syntax.Lit)
	return ok && len(lit.Value) >= len(prefix) && lit.Value[:len(prefix)] == prefix
}

// silent tells whether a command's output is thrown away.
func silent(stmt *syntax.Stmt) bool {
	return slices.ContainsFunc(stmt.Redirs, func(r *syntax.Redirect) bool {
		return (r.Op == syntax.RdrOut || r.Op == syntax.RdrAll) && r.Word.Lit() == "/dev/null" && (r.N == nil || r.N.Value == "1")
	})
}

// terminates tells whether nothing behind a command runs.
func (s *script) terminates(stmt *syntax.Stmt, depth int) bool {
	switch cmd := stmt.Cmd.(type) {
	case *syntax.Block:
		return len(cmd.Stmts) > 0 && s.terminates(cmd.Stmts[len(cmd.Stmts)-1], depth)
	case *syntax.BinaryCmd:
		steps := flatten(stmt)
		return len(steps) > 1 && cmd.Op == syntax.AndStmt && s.terminates(steps[len(steps)-1].stmt, depth) && alwaysTrue(steps[:len(steps)-1])
	}
	c, ok := callOf(stmt)
	if !ok {
		return false
	}
	switch c.name {
	case "exit", "return", "break", "continue":
		return true
	}
	fn := s.names.funcs[c.name]
	if fn == nil || depth == 0 {
		return false
	}
	block, ok := fn.Body.Cmd.(*syntax.Block)
	if !ok || len(block.Stmts) == 0 {
		return false
	}
	last, ok := callOf(block.Stmts[len(block.Stmts)-1])
	return ok && last.name == "exit"
}

// alwaysTrue tells whether steps can't fail in a way that matters: they print, or
// remove with -f.
func alwaysTrue(steps []step) bool {
	return !slices.ContainsFunc(steps, func(st step) bool {
		c, ok := callOf(st.stmt)
		return !ok || c.name != "echo" && c.name != "printf" && c.name != ":" && (c.name != "rm" || firstLit(c.args) != "-f")
	})
}
