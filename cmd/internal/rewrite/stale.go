package rewrite

import (
	"path"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// flow is what a command or pipeline reads and writes, as far as it names it.
type flow struct{ ins, outs []string }

// flows are those of all commands of the script that write a file.
func (s *script) flows() []flow {
	if s.allFlows == nil {
		s.allFlows = []flow{}
		syntax.Walk(s.file, func(n syntax.Node) bool {
			if stmt, ok := n.(*syntax.Stmt); ok {
				if f := s.flowOf(stmt); len(f.outs) > 0 {
					s.allFlows = append(s.allFlows, f)
				}
			}
			return true
		})
	}
	return s.allFlows
}

func (s *script) flowOf(stmt *syntax.Stmt) flow {
	var f flow
	outs := map[*syntax.Word]bool{}
	for _, stage := range stages(stmt) {
		for _, w := range writtenBy(stage) {
			outs[w] = true
			f.outs = append(f.outs, s.key(w))
		}
	}
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if w, ok := n.(*syntax.Word); ok && !outs[w] {
			f.ins = append(f.ins, s.key(w))
		}
		return true
	})
	return f
}

// writtenBy are the words that name what a command writes.
func writtenBy(stmt *syntax.Stmt) []*syntax.Word {
	var outs []*syntax.Word
	for _, r := range stmt.Redirs {
		if opensToWrite(r) && (r.N == nil || r.N.Value != "2") { // messages are no copy
			outs = append(outs, r.Word)
		}
	}
	c, ok := callOf(stmt)
	if !ok || len(c.args) == 0 {
		return outs
	}
	switch c.name {
	case "cp", "mv", "ln", "install":
		outs = append(outs, c.args[len(c.args)-1])
	case "tee", "sponge":
		outs = append(outs, c.args...)
	}
	return outs
}

func opensToWrite(r *syntax.Redirect) bool {
	switch r.Op {
	case syntax.RdrOut, syntax.RdrClob, syntax.AppOut, syntax.RdrAll, syntax.RdrAllClob, syntax.AppAll, syntax.AppAllClob:
		return true
	}
	return false
}

// copiesOf are the files that the script makes of a file: by a command that names
// it, or another copy. What is read from these was read from the file earlier.
func (s *script) copiesOf(key string) map[string]bool {
	made := map[string]bool{key: true}
	for grown := true; grown; {
		grown = false
		for _, f := range s.flows() {
			if !anyIn(f.ins, made) {
				continue
			}
			for _, out := range f.outs {
				grown = grown || !made[out]
				made[out] = true
			}
		}
	}
	delete(made, key)
	delete(made, "/dev/null")
	return made
}

func anyIn(keys []string, set map[string]bool) bool {
	for _, k := range keys {
		if set[k] {
			return true
		}
	}
	return false
}

// staleCopy is the text of a word in a writer that names a copy of the file.
func (s *script) staleCopy(w *writer, key string) string {
	copies := s.copiesOf(key)
	found := ""
	syntax.Walk(w.stmt, func(n syntax.Node) bool {
		if r, ok := n.(*syntax.Redirect); ok && opensToWrite(r) {
			return false
		}
		if word, ok := n.(*syntax.Word); ok && found == "" && word != w.to && copies[s.key(word)] {
			found = s.src(word)
		}
		return found == ""
	})
	return found
}

// fedFrom tells whether a write stands in a function that some pipeline feeds with
// what it has read from the file, whose name may be an argument.
func (s *script) fedFrom(stmt *syntax.Stmt, key string) bool {
	fn := s.names.inFunc[stmt]
	if fn == nil || fn.Name == nil {
		return false
	}
	found := false
	syntax.Walk(s.file, func(n syntax.Node) bool {
		pipeline, ok := n.(*syntax.Stmt)
		if !ok {
			return !found
		}
		parts := stages(pipeline)
		for i, stage := range parts {
			c, ok := callOf(stage)
			if !ok || c.name != fn.Name.Value {
				continue
			}
			file := key
			for j, w := range c.args {
				file = strings.ReplaceAll(file, "${"+strconv.Itoa(j+1)+"}", s.key(w))
			}
			for _, before := range parts[:i] {
				found = found || s.mentions(before, file)
				for _, w := range c.args {
					found = found || s.mentions(before, s.key(w))
				}
			}
		}
		return !found
	})
	return found
}

// patternNames tells whether a pattern among the words of a statement may name the
// file.
func (s *script) patternNames(stmt *syntax.Stmt, out *syntax.Redirect, key string) bool {
	found := false
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if r, ok := n.(*syntax.Redirect); ok && (r == out || r.Hdoc != nil) {
			return false
		}
		if w, ok := n.(*syntax.Word); ok && globs(w) {
			ok, err := path.Match(strings.TrimPrefix(w.Lit(), "./"), key)
			found = found || ok || err != nil || w.Lit() == "" || strings.Contains(key, "$")
		}
		return !found
	})
	return found
}

// onlyOnce tells whether a command reads what <(...) gives: that can't be read a
// second time.
func onlyOnce(c *call) bool {
	found := false
	syntax.Walk(c.expr, func(n syntax.Node) bool {
		if _, ok := n.(*syntax.ProcSubst); ok {
			found = true
		}
		return !found
	})
	return found
}
