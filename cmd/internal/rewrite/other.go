package rewrite

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// findVariable is for v=$(jq FILTER file) and then echo "$v" > file.
func (s *script) findVariable(list []*syntax.Stmt, i int) {
	steps := flatten(list[i])
	for k, st := range steps {
		name, sub := assignedFrom(st.stmt)
		if sub == nil || len(sub.Stmts) != 1 {
			continue
		}
		if k+1 < len(steps) {
			if steps[k+1].op == syntax.AndStmt && st.op != syntax.OrStmt && k+2 == len(steps) {
				s.takeVariable(name, sub, st.stmt, steps[k+1].stmt, list[i], nil)
			} else if k == 0 && len(steps) == 2 && s.terminates(steps[1].stmt, 1) && i+1 < len(list) {
				s.takeVariable(name, sub, st.stmt, list[i+1], nil, list[i+1])
			}
			return
		}
		if k == 0 && i+1 < len(list) {
			s.takeVariable(name, sub, st.stmt, list[i+1], nil, list[i+1])
		}
	}
}

func assignedFrom(stmt *syntax.Stmt) (string, *syntax.CmdSubst) {
	c, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(c.Args) > 0 || len(c.Assigns) != 1 || len(stmt.Redirs) > 0 || c.Assigns[0].Value == nil || c.Assigns[0].Append {
		return "", nil
	}
	return c.Assigns[0].Name.Value, onlySubstitution(c.Assigns[0].Value)
}

// takeVariable replaces both commands by one. In a list that replaces the list's
// two steps, else the second statement goes.
func (s *script) takeVariable(name string, sub *syntax.CmdSubst, first, second, whole, gone *syntax.Stmt) {
	w, ok := writerOf(second)
	if !ok || len(w.stages) > 1 || second.Negated || s.claimed[second] {
		return
	}
	c, ok := callOf(second)
	if !ok || !s.isPrinter(c) || len(c.args) == 0 || variable(c.args[len(c.args)-1]) != name || len(c.args) > 2 || len(second.Redirs) > 1 {
		return
	}
	inner := sub.Stmts[0]
	key := s.key(w.to)
	if !s.reads(inner, nil, key) || s.usesOf(name) != 1 {
		return
	}
	f := s.safe(&writer{stmt: inner, stages: stages(inner), to: w.to}, w.to)
	f.idiom += " to a variable, then " + c.name + " > file"
	s.claimed[first], s.claimed[second] = true, true
	original := s.text[s.bare(first).from:s.bare(second).to]
	if f.text == "" {
		s.found(first, Finding{Idiom: f.idiom, Original: original, Reason: f.reason, Verdict: Left})
		return
	}
	text := f.text
	if gone != nil {
		s.replace(s.bare(first), text)
		s.drop(gone)
	} else {
		if s.names.errexit && !s.condition[whole] {
			text += " && :"
		}
		s.replace(span{s.bare(first).from, s.bare(second).to}, text)
	}
	verdict, reason := s.verdict(inner, key)
	s.found(first, Finding{Idiom: f.idiom, Original: original, Replacement: f.text, Verdict: verdict, Reason: reason})
}

// usesOf counts where a variable is expanded.
func (s *script) usesOf(name string) int {
	n := 0
	for _, used := range variablesIn(s.file) {
		if used == name {
			n++
		}
	}
	return n
}

// wrappers are programs that run a shell here, and as the same user.
var wrappers = setOf("find xargs env nice nohup setsid stdbuf timeout")

// shellIn is the shell that a command is or, for a wrapper, runs.
func shellIn(c *call) *call {
	if !wrappers()[c.name] {
		return c
	}
	for i, w := range c.args {
		switch name := commandName(w); name {
		case "sh", "bash", "dash":
			return &call{stmt: c.stmt, expr: c.expr, name: name, args: c.args[i+1:]}
		}
	}
	return c
}

// findNested is for the text of sh -c and flock -c, in a pipeline too.
func (s *script) findNested(stmt *syntax.Stmt) {
	for _, stage := range stages(stmt) {
		s.findNestedIn(stage)
	}
}

func (s *script) findNestedIn(stmt *syntax.Stmt) {
	c, ok := callOf(stmt)
	if ok {
		c = shellIn(c)
	}
	if !ok || c.name != "sh" && c.name != "bash" && c.name != "dash" && c.name != "flock" && c.name != "su" {
		return
	}
	at := slices.IndexFunc(c.args, func(w *syntax.Word) bool { return w.Lit() == "-c" || c.name != "flock" && w.Lit() == "-ec" })
	if at < 0 || at+1 >= len(c.args) {
		return
	}
	word := c.args[at+1]
	text, ok := static(word)
	if !ok || len(word.Parts) != 1 {
		return
	}
	res, err := Script(text)
	if err != nil {
		return
	}
	for _, f := range res.Findings {
		f.Idiom += ", in " + c.name + " -c"
		if strings.Contains(res.Text, "'") {
			f.Verdict, f.Reason, f.Replacement = Left, "it is within quotes", ""
		}
		f.Line += int(word.Pos().Line()) - 1
		s.findings = append(s.findings, f)
	}
	if len(res.Findings) > 0 {
		s.claimed[stmt] = true
	}
	if !strings.Contains(res.Text, "'") && res.Text != text {
		s.replace(span{int(word.Pos().Offset()), int(word.End().Offset())}, "'"+res.Text+"'")
	}
}

// opensJSON finds what opens a JSON file to write it: open("a.json", "w"), '>a.json', and
// awk's print > "a.json".
var opensJSON = regexp.MustCompile(`\.json["']\s*,\s*(mode\s*=\s*)?["'][wax]|["']\s*\+?>>?\s*["', ]*[^"'<>|;&]*\.json["']|>>?\s*"[^"]*\.json"`)

// findForeign lists programs in other languages that write JSON themselves.
func (s *script) findForeign(stmt *syntax.Stmt) {
	for _, stage := range stages(stmt) {
		c, ok := callOf(stage)
		if !ok {
			continue
		}
		lang := strings.TrimRight(c.name, "0123456789.")
		var sign []string
		switch lang {
		case "python":
			sign = []string{"json.dump", "write_text"}
		case "node", "deno", "bun":
			sign = []string{"writeFile"}
		case "ruby", "perl", "php":
			sign = []string{"File.write", "JSON.dump", "encode_json", "file_put_contents"}
		case "lua", "awk", "gawk", "mawk":
		default:
			continue
		}
		text := s.src(stage)
		for _, r := range stage.Redirs {
			if r.Hdoc != nil {
				text += s.src(r.Hdoc)
			}
		}
		writes := strings.Contains(text, "open(") || !strings.Contains(text, "json.dumps") || strings.Contains(text, "write")
		if slices.ContainsFunc(sign, func(x string) bool { return strings.Contains(text, x) }) && writes || opensJSON.MatchString(text) {
			s.leave(stage, lang+" that writes JSON", "the program opens and writes the file itself: let it print the document, and run it with jtx pipe")
			return
		}
	}
}
