package rewrite

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// findInPlace looks for sponge, tee, yq -i and sed -i.
func (s *script) findInPlace(stmt *syntax.Stmt) {
	parts := stages(stmt)
	last, ok := callOf(parts[len(parts)-1])
	if !ok {
		return
	}
	if len(parts) > 1 && last.name == "tee" && !silent(last.stmt) && slices.ContainsFunc(last.args, s.namesJSON) {
		s.leave(stmt, "tee", "what it writes is printed too: write the file with jtx put, and print it with jtx get")
		return
	}
	if len(parts) > 1 && last.name == "tee" && len(last.args) > 1 && slices.ContainsFunc(last.args, s.namesJSON) {
		s.leave(stmt, "tee", "it writes several files")
		return
	}
	if len(parts) > 1 && len(last.args) == 1 && !s.isTemporary(last.args[0]) && (last.name == "sponge" || last.name == "tee" && silent(last.stmt)) {
		w := &writer{stmt: stmt, stages: parts[:len(parts)-1], to: last.args[0]}
		if s.isDocument(w, last.args[0]) {
			s.settle(stmt, w, s.spongeForm(w, last), last.name)
		}
		return
	}
	if len(parts) > 1 && last.name == "sudo" && len(last.args) == 2 && last.args[0].Lit() == "tee" && s.namesJSON(last.args[1]) {
		s.leave(stmt, "sudo tee", "sudo runs as somebody else: jtx must be run by who owns the file")
		return
	}
	if len(parts) == 1 && last.name == "tee" {
		s.teeFromInput(stmt, last)
		return
	}
	if len(parts) == 1 && len(last.args) > 1 && s.namesJSON(last.args[len(last.args)-1]) {
		s.editInPlace(stmt, last)
	}
}

// teeFromInput is for tee FILE <<< TEXT, a statement of its own.
func (s *script) teeFromInput(stmt *syntax.Stmt, c *call) {
	in := input(stmt)
	if in == nil || in.Hdoc != nil || len(c.args) != 1 || !s.namesJSON(c.args[0]) || s.listOf[stmt] == nil || stmt.Negated || len(stmt.Redirs) > 1 && !silent(stmt) {
		return
	}
	file := c.args[0]
	w := &writer{stmt: stmt, stages: []*syntax.Stmt{stmt}, to: file}
	f := form{idiom: "tee", text: s.prefix(c) + "jtx put -q " + s.src(file) + " " + s.text[in.Pos().Offset():in.Word.End().Offset()]}
	if !silent(stmt) {
		f.text += " && cat " + s.src(file)
	}
	if s.key(in.Word) == s.key(file) || s.stale(stmt, s.key(file)) {
		f.text, f.reason = "", "what it prints was read from the file earlier: a change in between would be lost"
	}
	s.settle(stmt, w, s.guard(stmt, s.key(file), f), "")
}

// copyOver is for cp A FILE, where A is neither made by the script nor a copy of FILE:
// the document is put there as a whole.
func (s *script) copyOver(stmt *syntax.Stmt, c *call) bool {
	words, ok := c.operands("fT")
	if !ok || len(words) != 2 || stmt.Negated || len(stmt.Redirs) > 0 || globs(words[0]) || globs(words[1]) {
		return false
	}
	from, file := s.key(words[0]), words[1]
	made := slices.ContainsFunc(s.flows(), func(f flow) bool { return slices.Contains(f.outs, from) })
	if made || s.copiesOf(s.key(file))[from] || strings.HasSuffix(from, ".bak") || strings.HasSuffix(from, ".orig") {
		return false
	}
	f := form{idiom: "cp over a JSON file", text: "jtx put -q " + s.src(file) + " " + s.src(words[0])}
	w := &writer{stmt: stmt, stages: []*syntax.Stmt{stmt}, to: file}
	s.settle(stmt, w, s.guard(stmt, s.key(file), f), "")
	return true
}

// spongeForm is what feeds sponge, written safely.
func (s *script) spongeForm(w *writer, last *call) form {
	if len(last.stmt.Redirs) > 0 && last.name == "sponge" {
		return form{reason: "the output of sponge goes elsewhere"}
	}
	if last.name == "tee" && s.reads(w.stages[0], nil, s.key(w.to)) {
		// tee empties the file at any moment while the other side reads it.
		f := s.safe(w, w.to)
		f.idiom += " to tee"
		return f
	}
	return s.safe(w, w.to)
}

// editInPlace is for yq -i and sed -i.
func (s *script) editInPlace(stmt *syntax.Stmt, c *call) {
	file := c.args[len(c.args)-1]
	flag, rest := c.args[0].Lit(), c.args[1:len(c.args)-1]
	var words []string
	for _, w := range rest {
		words = append(words, s.src(w))
	}
	expr := strings.Join(words, " ")
	run := ""
	switch {
	case c.name == "yq" && (flag == "-i" || flag == "--inplace") && len(rest) == 1:
		run = "yq -p json -o json " + expr + " " + s.src(file)
	case c.name == "yq" && flag == "eval" && firstLit(rest) == "-i" && len(rest) == 2:
		run = "yq eval -p json -o json " + words[1] + " " + s.src(file)
	case c.name == "sed" && flag == "-i" && onlyScript(rest):
		run = "sed " + expr + " " + s.src(file) // which sed itself says is missing
	case strings.TrimPrefix(c.name, `\`) == "cp" && s.copyOver(stmt, c):
		return
	case strings.HasSuffix(c.name, "awk") && flag == "-i" && firstLit(rest) == "inplace":
		s.leave(stmt, "awk in place", "let it print the document, and run it with jtx pipe")
		return
	case c.name == "sed" && strings.HasPrefix(flag, "-i"), c.name == "yq" && strings.Contains(expr+flag, "-i"),
		c.name == "perl" && strings.Contains(flag, "i") && strings.HasPrefix(flag, "-"):
		s.leave(stmt, c.name+" in place", "these flags of "+c.name+" are not understood")
		return
	default:
		return
	}
	if globs(file) {
		s.leave(stmt, c.name+" in place", "the name of the file is a pattern")
		return
	}
	f := form{idiom: c.name + " -i", text: s.prefix(c) + "jtx pipe -q " + s.src(file) + " -- " + run + s.otherRedirects(stmt)}
	s.settle(stmt, &writer{stmt: stmt, stages: []*syntax.Stmt{stmt}, to: file}, f, "")
}

// onlyScript tells whether the words between sed -i and the file are a script and
// options of it: with another file among them, or -i ” as on BSD, they are not.
func onlyScript(words []*syntax.Word) bool {
	scripts, plain := 0, 0
	for i := 0; i < len(words); i++ {
		text, ok := static(words[i])
		switch {
		case ok && text == "":
			return false
		case text == "-e" || text == "-f" || text == "--expression" || text == "--file":
			scripts++
			i++
		case strings.HasPrefix(text, "-"):
			if strings.Trim(text, "-Ernszu") != "" {
				return false
			}
		default:
			plain++
		}
	}
	return scripts > 0 && plain == 0 || scripts == 0 && plain == 1
}

// settle replaces a statement by a form, or lists why not.
func (s *script) settle(stmt *syntax.Stmt, w *writer, f form, with string) {
	if with != "" && !strings.HasSuffix(f.idiom, " to tee") {
		f.idiom = strings.TrimPrefix(f.idiom+" to "+with, " to ")
	}
	if f.text == "" {
		s.leave(stmt, f.idiom, f.reason)
		return
	}
	s.claimed[stmt] = true
	at := s.bare(stmt)
	s.replace(at, f.text)
	verdict, reason := s.verdict(stmt, s.key(w.to))
	s.found(stmt, Finding{Idiom: f.idiom, Original: s.text[at.from:at.to], Replacement: f.text, Verdict: verdict, Reason: reason})
}

// findLoneMove is for a move whose temporary file is written in a way that is not
// understood, or by another program.
func (s *script) findLoneMove(stmt *syntax.Stmt) {
	if s.isForeignMove(stmt) {
		s.leave(stmt, "mv of a temporary file", "sudo runs as somebody else: jtx must be run by who owns the file")
		return
	}
	m, ok := s.moveOf(stmt)
	if ok && !m.copies && globs(m.from) && s.namesJSON(m.to) {
		s.leave(stmt, "mv of a temporary file", "its name is a pattern")
		return
	}
	if !ok || m.copies || globs(m.from) || globs(m.to) {
		return
	}
	key := s.key(m.to)
	if !s.namesJSON(m.to) && !s.madeByJQ(s.key(m.from), m.to) {
		return
	}
	if s.key(m.from) == key+".bak" || strings.HasSuffix(s.key(m.from), ".orig") {
		s.leave(stmt, "mv of a backup", "it brings back an older version: jtx restore does that")
		return
	}
	for _, u := range s.survey(m.from, map[*syntax.Stmt]bool{stmt: true}).others {
		if s.reads(u.stmt, nil, key) || s.staleSource(u.stmt, key) != "" {
			s.leave(stmt, "mv of a temporary file", "the temporary file is made of the file ("+s.lineOf(u.stmt)+") in a way that is not understood: a change in between would be lost")
			return
		}
	}
	if s.copiesOf(key)[s.key(m.from)] {
		s.leave(stmt, "mv of a temporary file", "the temporary file is made of the file in a way that is not understood: a change in between would be lost")
		return
	}
	if _, writes := s.moved[key]; writes && strings.HasPrefix(s.key(m.from), key) && !s.writesTo(s.key(m.from)) {
		s.leave(stmt, "mv of a copy", "it brings back an older version: jtx restore does that")
		return
	}
	s.claimed[stmt] = true
	at := s.bare(stmt)
	text := s.putText(m)
	shown := text
	if s.names.errexit && s.listOf[stmt] != nil {
		// Two statements: set -e ignores what fails before the end of a list.
		text = strings.Replace(text, " && rm", "\n"+s.indent(stmt)+"rm", 1)
	}
	s.replace(at, text)
	s.found(stmt, Finding{Idiom: "mv of a temporary file", Original: s.text[at.from:at.to], Replacement: shown})
}

// madeByJQ tells whether jq makes a file from the target of its move.
func (s *script) madeByJQ(temp string, file *syntax.Word) bool {
	found := false
	s.eachStep(func(stmt *syntax.Stmt) {
		if w, ok := writerOf(stmt); ok && s.key(w.to) == temp {
			found = found || s.isDocument(w, file)
		}
	})
	return found
}

// writesTo tells whether some command's output goes to the file.
func (s *script) writesTo(key string) bool {
	found := false
	syntax.Walk(s.file, func(n syntax.Node) bool {
		if r, ok := n.(*syntax.Redirect); ok && r.Op == syntax.RdrOut && s.key(r.Word) == key {
			found = true
		}
		return !found
	})
	return found
}

// findDirect is for a command whose output goes straight to the file.
func (s *script) findDirect(stmt *syntax.Stmt) {
	s.findAppend(stmt)
	w, ok := writerOf(stmt)
	if !ok && !s.claimed[stmt] {
		s.findMixed(stmt)
	}
	if !ok || s.claimed[stmt] || s.isTemporary(w.to) || !s.isDocument(w, w.to) {
		return
	}
	last := w.stages[len(w.stages)-1]
	if c, ok := callOf(last); last.Cmd == nil || ok && (c.name == ":" || c.name == "true" || c.name == "exec") {
		s.leave(stmt, "> file", "it empties the file, and an empty file is not JSON")
		return
	}
	key := s.key(w.to)
	if c, ok := callOf(last); ok && s.isPrinter(c) {
		if s.settleEcho(stmt, w, c) {
			return
		}
	} else if s.reads(stmt, w.out, key) || s.patternNames(stmt, w.out, key) {
		s.leave(stmt, "a command that reads the file it writes", "the shell empties the file before the command reads it")
		return
	}
	f := s.safe(w, w.to)
	if f.text != "" && hasHeredoc(stmt) {
		s.settleHeredoc(stmt, w, f)
		return
	}
	if f.text == "" && f.reason == "" {
		f.reason = "it is not understood"
	}
	if f.text != "" && s.stale(stmt, key) {
		f.text, f.reason = "", "what it prints was read from the file earlier: a change in between would be lost; use jtx update, or both in jtx run"
	}
	s.settle(stmt, w, f, "")
}

// findMixed lists a write to a JSON file beside redirections that put something
// else into it, or that are not understood.
func (s *script) findMixed(stmt *syntax.Stmt) {
	parts := stages(stmt)
	last := parts[len(parts)-1]
	for _, r := range last.Redirs {
		switch r.Op {
		case syntax.RdrOut, syntax.RdrClob, syntax.RdrAll, syntax.RdrAllClob:
			if s.namesJSON(r.Word) && !s.moved[s.key(r.Word)] {
				s.leave(stmt, "> file", "what it prints goes there and elsewhere, or messages go there too")
				return
			}
		}
	}
}

func (s *script) stale(stmt *syntax.Stmt, key string) bool { return s.staleSource(stmt, key) != "" }

// settleEcho is for echo "$(jq FILTER file)" > file: the shell expands the words
// before it opens the file, so that this works, mostly.
func (s *script) settleEcho(stmt *syntax.Stmt, w *writer, c *call) bool {
	words := c.args
	if c.name == "printf" && len(words) == 2 {
		if format, ok := static(words[0]); ok && (format == `%s\n` || format == "%s") {
			words = words[1:]
		}
	}
	if len(words) != 1 || !s.mentions(c.expr, s.key(w.to)) {
		return false
	}
	sub := onlySubstitution(words[0])
	if sub == nil || len(sub.Stmts) != 1 || sub.Stmts[0].Negated {
		s.leave(stmt, c.name+" > file", "what it prints is read from the file earlier: a change in between would be lost")
		return true
	}
	inner := &writer{stmt: sub.Stmts[0], stages: stages(sub.Stmts[0]), to: w.to}
	f := s.safe(inner, w.to)
	f.idiom += " in " + c.name + " > file"
	s.settle(stmt, w, f, "")
	return true
}

func onlySubstitution(w *syntax.Word) *syntax.CmdSubst {
	parts := flatParts(w.Parts)
	if len(parts) != 1 {
		return nil
	}
	sub, _ := parts[0].(*syntax.CmdSubst)
	return sub
}

// settleHeredoc replaces the command line and leaves the document below it.
func (s *script) settleHeredoc(stmt *syntax.Stmt, w *writer, f form) {
	end := int(stmt.Pos().Offset()) + strings.IndexByte(s.text[stmt.Pos().Offset():], '\n')
	at := span{s.bare(stmt).from, min(end, s.lastWord(stmt))}
	s.claimed[stmt] = true
	s.replace(at, f.text)
	s.found(stmt, Finding{Idiom: f.idiom, Original: s.text[at.from:at.to], Replacement: f.text})
}

// lastWord is the end of a statement's text on its command line.
func (s *script) lastWord(stmt *syntax.Stmt) int {
	end := int(stmt.Cmd.End().Offset())
	for _, r := range stmt.Redirs {
		end = max(end, int(r.Word.End().Offset()))
	}
	return end
}

// findAppend lists what adds to a JSON file.
func (s *script) findAppend(stmt *syntax.Stmt) {
	for _, r := range stmt.Redirs {
		if r.Op == syntax.AppOut && s.namesJSON(r.Word) && !s.moved[s.key(r.Word)] {
			s.leave(stmt, ">> file", "it adds text to the file, which is no document in between")
			return
		}
	}
}

// isTemporary tells whether a file is only on its way to another place.
func (s *script) isTemporary(w *syntax.Word) bool {
	key := s.key(w)
	if s.moved[key] {
		return true
	}
	for _, a := range s.names.assigns[variable(w)] {
		if strings.Contains(s.src(a.Value), "mktemp") {
			return true
		}
	}
	return false
}

// isDocument tells whether what goes to a file is JSON: by its name, or by the
// command that prints it.
func (s *script) isDocument(w *writer, file *syntax.Word) bool {
	if s.namesJSON(file) {
		return true
	}
	last := w.stages[len(w.stages)-1]
	c, ok := callOf(last)
	if !ok {
		return false
	}
	if c.name == "jq" {
		// What jq reads is JSON, and so is what it prints, but for -r and its like.
		q, ok := parseJQ(c.args)
		return (!ok || q.odd == "") && s.reads(w.stmt, w.out, s.key(file))
	}
	if s.isPrinter(c) && len(c.args) > 0 {
		text, ok := static(c.args[len(c.args)-1])
		return ok && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Valid([]byte(text))
	}
	return false
}

// printsJSON tells whether a writer ends in jq, and that prints JSON.
func (s *script) printsJSON(w *writer) bool {
	c, ok := callOf(w.stages[len(w.stages)-1])
	if !ok || c.name != "jq" {
		return false
	}
	q, ok := parseJQ(c.args)
	return ok && q.odd == "" && !q.raw
}

// notADocument says why what is printed is surely not one document.
func validJSON(text string) bool { return json.Valid(bytes.TrimSpace([]byte(text))) }

func (s *script) notADocument(c *call) string {
	if c.name != "echo" || len(c.args) != 1 {
		return ""
	}
	text, ok := static(c.args[0])
	if !ok || validJSON(text) || strings.Contains(text, `\`) {
		return ""
	}
	return "what it prints is not a whole JSON document"
}
