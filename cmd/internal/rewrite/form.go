package rewrite

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// form is what a write becomes, or why it stays.
type form struct {
	text   string
	idiom  string
	reason string // why it is left alone, where text is empty
	// keepsTemp: only the command that moves the temporary file is replaced.
	keepsTemp bool
}

// writer is a command or pipeline that prints a document to somewhere.
type writer struct {
	stmt   *syntax.Stmt
	stages []*syntax.Stmt
	out    *syntax.Redirect // nil where the last stage is sponge or tee
	to     *syntax.Word
}

// writerOf is what a statement writes, where its output goes to one file.
func writerOf(stmt *syntax.Stmt) (*writer, bool) {
	if stmt.Background || stmt.Coprocess {
		return nil, false
	}
	parts := stages(stmt)
	last := parts[len(parts)-1]
	out, plain := output(last)
	if out == nil || !plain {
		return nil, false
	}
	return &writer{stmt: stmt, stages: parts, out: out, to: out.Word}, true
}

// safe makes the command that does to the file what w and the move behind it do.
func (s *script) safe(w *writer, file *syntax.Word) form {
	f := s.guard(w.stmt, s.key(file), s.formOf(w, file))
	if s.refusesOld(w) {
		f.text = onlyNew(f.text, s.src(file))
	}
	return f
}

// refusesOld tells that set -C is in force for a write: > fails where the file is there.
func (s *script) refusesOld(w *writer) bool {
	return s.names.noclobber && w.out != nil && w.out.Op == syntax.RdrOut
}

// onlyNew makes a write fail where the file is there.
func onlyNew(text, file string) string {
	for _, verb := range []string{"jtx put -q ", "jtx pipe -q ", "jtx pipe -nq "} {
		text = strings.Replace(text, verb, verb+"--if-rev "+file+"@0 ", 1)
	}
	return text
}

func (s *script) formOf(w *writer, file *syntax.Word) form {
	if reason := s.unfit(w, file); reason != "" {
		return form{idiom: "writes the file", reason: reason}
	}
	key := s.key(file)
	if len(w.stages) > 1 {
		return s.safePipeline(w, file, key)
	}
	c, ok := callOf(w.stages[0])
	if !ok {
		return s.safeGroup(w, file, key)
	}
	if reason := s.heredocIsNone(input(c.stmt)); reason != "" && c.name == "cat" {
		return form{idiom: "cat > file", reason: reason}
	}
	if c.name == "cat" {
		if f, ok := s.safeCat(w, c, file); ok {
			return f
		}
		if len(c.args) > 1 {
			return form{idiom: "cat > file", reason: "several texts in a row are not one document"}
		}
	}
	switch {
	case c.name == "jq" && s.names.funcs["jq"] == nil:
		return s.safeJQ(w, c, file, key)
	case s.isPrinter(c):
		return s.safePrint(w, c, file)
	case s.external(c):
		return s.safeProgram(w, c, file, key)
	}
	return form{idiom: "a command's output", keepsTemp: true, reason: "it is not known whether " + s.src(c.expr.Args[0]) + " is a program or a function of the shell"}
}

// unfit says why nothing can be done about a write, whatever the command.
func (s *script) unfit(w *writer, file *syntax.Word) string {
	switch {
	case globs(file):
		return "the name of the file is a pattern"
	case s.refusesOld(w) && s.numberCounts(w.stmt):
		return "set -C is in force, by which > fails with 1 where the file is there: jtx put --if-rev FILE@0 does so with 3"
	case strings.HasPrefix(s.key(file), "-"):
		return "the name of the file begins with -"
	case s.namesLines(file):
		return "a file with a document on each line is not one JSON document"
	}
	for _, stage := range w.stages {
		if c, ok := callOf(stage); ok && (c.name == "sudo" || c.name == "doas") {
			return c.name + " runs as somebody else: jtx must be run by who owns the file"
		}
	}
	if name := s.staleCopy(w, s.key(file)); name != "" {
		return name + " was made of the file earlier: a change in between would be lost"
	}
	if s.fedFrom(w.stmt, s.key(file)) {
		return "a pipeline feeds the function with what it has read from the file: a change in between would be lost"
	}
	return ""
}

// reads tells whether a statement names the file, but where it writes it.
func (s *script) reads(stmt *syntax.Stmt, out *syntax.Redirect, key string) bool {
	found := false
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if r, ok := n.(*syntax.Redirect); ok && r == out {
			return false
		}
		if w, ok := n.(*syntax.Word); ok && s.key(w) == key {
			found = true
		}
		return !found
	})
	return found
}

// safeJQ replaces a call of jq: by jtx update where gojq does the same, else jq
// itself is run under the file's lock.
func (s *script) safeJQ(w *writer, c *call, file *syntax.Word, key string) form {
	q, ok := parseJQ(c.args)
	if !ok {
		return form{idiom: "jq", reason: "these arguments of jq are not understood"}
	}
	if q.odd != "" {
		return form{idiom: "jq", reason: q.odd}
	}
	if onlyOnce(c) {
		return form{idiom: "jq", reason: onceReason}
	}
	if s.readsInSubstitution(c, key) {
		return form{idiom: "jq", reason: "an argument is read from the file before the command runs: a change in between would be lost"}
	}
	if s.formats(c, q) {
		q.exact = true // the layout is what it is for
	}
	kind := onlyJQ
	if !slices.ContainsFunc(c.args, func(w *syntax.Word) bool {
		return w.Lit() == "--from-file" || strings.HasSuffix(w.Lit(), "f") && strings.HasPrefix(w.Lit(), "-")
	}) {
		kind = s.kindOfFilter(q.filter)
	}
	if kind == notOne {
		return form{idiom: "jq", reason: "the filter may print none or several documents, where a JSON file holds one"}
	}
	in := input(c.stmt)
	fromFile := len(q.files) == 1 && s.key(q.files[0]) == key && in == nil ||
		len(q.files) == 0 && in != nil && in.Op == syntax.RdrIn && s.key(in.Word) == key
	if fromFile && !q.exact && !q.null && kind == anywhere && !s.namedIn(q.vars, key) {
		words := []string{s.src(file), s.src(q.filter)}
		for _, v := range q.vars {
			words = append(words, s.src(v))
		}
		if in == nil && s.numberCounts(w.stmt) { // a < that fails is the shell's error: 1
			words = append(words, "--jq-exit")
		}
		return form{idiom: "jq", text: s.prefix(c) + "jtx update -q " + strings.Join(words, " ") + s.otherRedirects(c.stmt, w.out, in)}
	}
	return s.safeProgram(w, c, file, key)
}

// formats tells a call of jq whose layout is asked for, or that does nothing but lay
// out.
func (s *script) formats(c *call, q *jqCall) bool {
	text, known := static(q.filter)
	if text = strings.TrimSpace(text); known && (text == "." || text == "") {
		return true
	}
	return slices.ContainsFunc(c.args, func(w *syntax.Word) bool {
		switch w.Lit() {
		case "-c", "--compact-output", "--tab", "--indent":
			return true
		}
		return len(w.Lit()) > 1 && w.Lit()[0] == '-' && w.Lit()[1] != '-' && strings.Contains(w.Lit(), "c")
	})
}

func (s *script) namedIn(words []*syntax.Word, key string) bool {
	return slices.ContainsFunc(words, func(w *syntax.Word) bool { return s.key(w) == key })
}

const onceReason = "what <(...) gives can be read only once, and jtx may have to run the command again"

// safeProgram runs a program under the file's lock. With -n it reads its own
// standard input, and the file is locked only when it is done.
func (s *script) safeProgram(w *writer, c *call, file *syntax.Word, key string) form {
	if onlyOnce(c) {
		return form{idiom: "a command's output", reason: onceReason}
	}
	if s.readsInSubstitution(c, key) {
		return form{idiom: "jq", reason: "an argument is read from the file before the command runs: a change in between would be lost"}
	}
	in := input(c.stmt)
	fromFile := in != nil && in.Op == syntax.RdrIn && s.key(in.Word) == key
	flags := "-q"
	if !fromFile && (in != nil || !s.readsOperand(c, key)) {
		flags = "-nq"
	}
	drop := []*syntax.Redirect{w.out}
	if fromFile {
		drop = append(drop, in)
	}
	words := c.expr.Args
	if words[0].Lit() == "command" {
		words = words[1:]
	}
	command := s.text[words[0].Pos().Offset():words[len(words)-1].End().Offset()]
	if r := s.redirectWithin(c, words); r {
		var parts []string
		for _, word := range words {
			parts = append(parts, s.src(word))
		}
		command = strings.Join(parts, " ")
	}
	return form{
		idiom: "a command's output",
		text:  s.prefix(c) + "jtx pipe " + flags + " " + s.src(file) + " -- " + strings.TrimPrefix(command, `\`) + s.otherRedirects(c.stmt, drop...),
	}
}

// redirectWithin tells whether a redirection stands between the words.
func (s *script) redirectWithin(c *call, words []*syntax.Word) bool {
	return slices.ContainsFunc(c.stmt.Redirs, func(r *syntax.Redirect) bool {
		return r.Pos().Offset() > words[0].Pos().Offset() && r.Pos().Offset() < words[len(words)-1].Pos().Offset()
	})
}

// readsOperand tells whether a program reads the file itself, which must be locked
// then; or, of jq alone this is known, nothing but files that it names.
func (s *script) readsOperand(c *call, key string) bool {
	if c.name == "jq" {
		q, ok := parseJQ(c.args)
		return ok && (q.null || len(q.files) > 0)
	}
	return slices.ContainsFunc(c.args, func(w *syntax.Word) bool { return s.mentions(w, key) })
}

func (s *script) readsInSubstitution(c *call, key string) bool {
	found := false
	for _, w := range c.args {
		syntax.Walk(w, func(n syntax.Node) bool {
			if sub, ok := n.(*syntax.CmdSubst); ok && s.mentions(sub, key) {
				found = true
			}
			return !found
		})
	}
	return found
}

// prefix is the text of the variables that are set for one command.
func (s *script) prefix(c *call) string {
	if len(c.expr.Assigns) == 0 {
		return ""
	}
	return s.text[c.expr.Pos().Offset():c.expr.Args[0].Pos().Offset()]
}

// safePrint pipes what echo or printf print into jtx put.
func (s *script) safePrint(w *writer, c *call, file *syntax.Word) form {
	idiom := c.name + " > file"
	if changesState(c.expr) {
		return form{idiom: idiom, reason: "it sets a variable while it prints, which it could not do in a pipeline"}
	}
	if reason := s.notADocument(c); reason != "" {
		return form{idiom: idiom, reason: reason}
	}
	if source := s.staleSource(c.expr, s.key(file)); source != "" {
		return form{idiom: idiom, reason: "$" + source + " was read from the file earlier: a change in between would be lost; use jtx update, or both in jtx run"}
	}
	at := s.bare(w.stages[0])
	text := strings.TrimRight(s.without(at, w.out), " ")
	return form{idiom: idiom, text: text + " | jtx put -q " + s.src(file)}
}

// without is the text of a span but for a redirection in it.
func (s *script) without(at span, r *syntax.Redirect) string {
	from, to := int(r.Pos().Offset()), int(r.Word.End().Offset())
	before := s.text[at.from:from]
	return strings.TrimRight(before, " ") + s.text[to:at.to]
}

// safeCat replaces cat > file: with a here-document, or one operand.
func (s *script) safeCat(w *writer, c *call, file *syntax.Word) (form, bool) {
	in := input(c.stmt)
	if len(c.args) == 0 && in != nil && in.Op != syntax.WordHdoc {
		text := "jtx put -q " + s.src(file) + s.otherRedirects(c.stmt, w.out)
		return form{idiom: "cat > file", text: s.prefix(c) + text}, true
	}
	return form{}, false
}

// safePipeline replaces the last stage of a pipeline, or all of one that only
// feeds the file to jq.
func (s *script) safePipeline(w *writer, file *syntax.Word, key string) form {
	if f, ok := s.joined(w, file, key); ok {
		return f
	}
	for _, stage := range w.stages {
		if s.reads(stage, w.out, key) {
			return form{idiom: "a pipeline", reason: "a pipeline reads the file and writes it: put its commands into a script, and run that with jtx pipe"}
		}
	}
	if source := s.staleSource(w.stmt, key); source != "" {
		return form{idiom: "a pipeline", reason: "$" + source + " was read from the file earlier: a change in between would be lost"}
	}
	last := w.stages[len(w.stages)-1]
	c, ok := callOf(last)
	if !ok || !s.external(c) {
		return form{idiom: "a pipeline", keepsTemp: true, reason: "its last command is no program"}
	}
	if c.name == "jq" {
		if q, ok := parseJQ(c.args); !ok || q.odd != "" || len(q.files) == 0 && s.kindOfFilter(q.filter) == notOne {
			return form{idiom: "a pipeline", reason: "it may print none or several documents, where a JSON file holds one"}
		}
	}
	f := s.safeProgram(w, c, file, key)
	if f.text != "" {
		f.text = strings.Replace(f.text, "jtx pipe -q ", "jtx pipe -nq ", 1)
		f.text = s.text[s.bare(w.stmt).from:last.Pos().Offset()] + f.text
		f.idiom = "a pipeline"
	}
	return f
}

// joined makes one command of cat FILE | jq FILTER, and of jq A FILE | jq B.
func (s *script) joined(w *writer, file *syntax.Word, key string) (form, bool) {
	var filters []string
	var vars []string
	rest := ""
	for i, stage := range w.stages {
		c, ok := callOf(stage)
		if !ok || len(c.expr.Assigns) > 0 {
			return form{}, false
		}
		in := input(stage)
		if i == 0 && c.name == "cat" && len(c.args) == 1 && s.key(c.args[0]) == key && in == nil {
			continue
		}
		q, ok := parseJQ(c.args)
		if c.name != "jq" || !ok || q.exact || q.null || q.odd != "" || s.kindOfFilter(q.filter) != anywhere || in != nil && i > 0 {
			return form{}, false
		}
		fromFile := len(q.files) == 1 && s.key(q.files[0]) == key || in != nil && in.Op == syntax.RdrIn && s.key(in.Word) == key
		if i == 0 != fromFile || i > 0 && len(q.files) > 0 {
			return form{}, false
		}
		filters = append(filters, s.src(q.filter))
		for _, v := range q.vars {
			vars = append(vars, s.src(v))
		}
		rest += s.otherRedirects(stage, w.out, in)
	}
	filter, ok := joinFilters(filters)
	if !ok || len(filters) > 1 && len(vars) > 0 {
		return form{}, false
	}
	words := append([]string{"jtx update -q", s.src(file), filter}, vars...)
	if s.numberCounts(w.stmt) {
		words = append(words, "--jq-exit")
	}
	return form{idiom: "a pipeline with jq", text: strings.Join(words, " ") + rest}, true
}

// joinFilters makes one filter of several in single quotes.
func joinFilters(filters []string) (string, bool) {
	if len(filters) == 1 {
		return filters[0], true
	}
	var inner []string
	for _, f := range filters {
		if len(f) < 2 || f[0] != '\'' || strings.Count(f, "'") != 2 || strings.Contains(f, "#") {
			return "", false
		}
		inner = append(inner, f[1:len(f)-1])
	}
	return "'" + strings.Join(inner, " | ") + "'", len(filters) > 0
}

// safeGroup replaces { echo ...; cat ...; } > file.
func (s *script) safeGroup(w *writer, file *syntax.Word, key string) form {
	idiom := "{ ... } > file"
	var inner []*syntax.Stmt
	switch cmd := w.stages[0].Cmd.(type) {
	case *syntax.Block:
		inner = cmd.Stmts
	case *syntax.Subshell:
		inner = cmd.Stmts
	}
	for _, stmt := range inner {
		c, ok := callOf(stmt)
		if !ok || len(stmt.Redirs) > 0 && !hasHeredoc(stmt) || !s.isPrinter(c) && !(c.name == "cat" && hasHeredoc(stmt)) || changesState(stmt) {
			inner = nil
			break
		}
	}
	if len(inner) == 0 {
		return form{idiom: idiom, keepsTemp: true, reason: "a group of commands may fail half-way, or set variables: write to a temporary file and jtx put that"}
	}
	if s.reads(w.stmt, w.out, key) || s.staleSource(w.stmt, key) != "" {
		return form{idiom: idiom, reason: "what it prints was read from the file earlier: a change in between would be lost"}
	}
	at := s.bare(w.stages[0])
	text := strings.TrimRight(s.without(at, w.out), " ")
	return form{idiom: idiom, text: text + " | jtx put -q " + s.src(file)}
}
