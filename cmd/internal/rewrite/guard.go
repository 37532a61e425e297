package rewrite

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// collectGuards notes the commands that run only where a file is not there, by the
// file's key: between the question and the write another process may make the
// file, and what that has put into it would be lost.
func (s *script) collectGuards() {
	for _, list := range s.lists {
		for _, stmt := range list {
			s.guardSteps(flatten(stmt))
			cond, ok := stmt.Cmd.(*syntax.IfClause)
			if !ok || len(cond.Cond) != 1 {
				continue
			}
			if key, there := s.asksFor(cond.Cond[0]); key != "" && !there {
				for _, inner := range cond.Then {
					for _, st := range flatten(inner) {
						s.guarded[st.stmt] = key
					}
				}
			}
		}
	}
}

func (s *script) guardSteps(steps []step) {
	for k := 1; k < len(steps); k++ {
		key, there := s.asksFor(steps[k-1].stmt)
		if key != "" && there == (steps[k].op == syntax.OrStmt) {
			s.guarded[steps[k].stmt] = key
		}
	}
}

// asksFor is the key of the file in [ -f FILE ] and its like. there is false for
// the opposite question.
func (s *script) asksFor(stmt *syntax.Stmt) (key string, there bool) {
	there = !stmt.Negated
	if t, ok := stmt.Cmd.(*syntax.TestClause); ok {
		x, ok := t.X.(*syntax.UnaryTest)
		if ok && x.Op == syntax.TsNot {
			there = !there
			x, ok = x.X.(*syntax.UnaryTest)
		}
		if !ok || x.Op != syntax.TsRegFile && x.Op != syntax.TsExists && x.Op != syntax.TsNoEmpty {
			return "", false
		}
		if w, ok := x.X.(*syntax.Word); ok {
			return s.key(w), there
		}
		return "", false
	}
	c, ok := callOf(stmt)
	if !ok || c.name != "[" && c.name != "test" {
		return "", false
	}
	args := c.args
	if firstLit(args) == "!" {
		args, there = args[1:], !there
	}
	if len(args) < 2 || len(args) > 3 || !strings.Contains("-f -e -s", firstLit(args)) || firstLit(args) == "" {
		return "", false
	}
	return s.key(args[1]), there
}

// guard makes a write that is to happen only where the file is not there ask that
// under the file's lock.
func (s *script) guard(stmt *syntax.Stmt, key string, f form) form {
	if s.guarded[stmt] != key || f.text == "" {
		return f
	}
	for _, verb := range []string{"jtx put -q ", "jtx pipe -q ", "jtx pipe -nq "} {
		f.text = strings.Replace(f.text, verb, verb+"--if-missing ", 1)
	}
	return f
}
