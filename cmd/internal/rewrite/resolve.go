package rewrite

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// resolve decides over the candidates, and makes the edits of those that are sure.
func (s *script) resolve() {
	forms := make([]form, len(s.candidates))
	for i, c := range s.candidates {
		forms[i] = s.judge(c)
	}
	// A temporary file that one candidate leaves in use may be the same as
	// another's: the others are judged by what stays.
	for changed := true; changed; {
		changed = false
		claimed := s.claimedBy(forms)
		for i, c := range s.candidates {
			if forms[i].text == "" || forms[i].keepsTemp {
				continue
			}
			if t := s.survey(c.w.to, claimed); len(t.others) > 0 {
				forms[i] = form{idiom: forms[i].idiom, reason: "the temporary file is used elsewhere too: " + s.lineOf(t.others[0].word)}
				changed = true
			}
		}
	}
	s.apply(forms)
}

// judge finds the form of a candidate.
func (s *script) judge(c *candidate) form {
	f := s.safe(c.w, c.move.to)
	if c.reason != "" {
		f.text, f.reason, f.keepsTemp = "", c.reason, false
	}
	if f.text == "" && f.keepsTemp {
		f = s.putTemp(c, f)
	}
	if f.text != "" && !f.keepsTemp && c.move.copies && !s.removedLater(c) {
		f.text, f.reason = "", "the temporary file stays behind, and may be wanted"
	}
	f.idiom += map[bool]string{true: " to a temporary file, then cp", false: " to a temporary file, then mv"}[c.move.copies]
	if f.text != "" && hasHeredoc(c.w.stmt) && !s.hereEdits(c) {
		f.text, f.reason = "", "the move is behind the here-document"
	}
	return f
}

func (s *script) removedLater(c *candidate) bool {
	temp := s.key(c.w.to)
	for _, stmt := range c.stmts {
		if s.removes(stmt, temp) {
			return true
		}
	}
	claimed := map[*syntax.Stmt]bool{}
	for _, stmt := range c.stmts {
		claimed[stmt] = true
	}
	t := s.survey(c.w.to, claimed)
	return len(t.removed) > 0 || len(t.traps) > 0
}

// hereEdits tells whether the place of a command with a here-document ends before
// the document does.
func (s *script) hereEdits(c *candidate) bool {
	return !strings.Contains(s.text[c.place.from:c.place.to], "\n")
}

// putTemp replaces the move alone: the command may do as it likes with the
// temporary file.
func (s *script) putTemp(c *candidate, f form) form {
	key := s.key(c.move.to)
	switch {
	case !s.namesJSON(c.move.to):
		return form{idiom: f.idiom, reason: f.reason}
	case s.reads(c.w.stmt, c.w.out, key):
		return form{idiom: f.idiom, reason: "it reads the file, and " + f.reason}
	case s.staleSource(c.w.stmt, key) != "":
		return form{idiom: f.idiom, reason: "what it prints was read from the file earlier: a change in between would be lost"}
	}
	return form{idiom: f.idiom, text: s.putText(c.move), keepsTemp: true}
}

func (s *script) putText(m *move) string {
	text := "jtx put -q " + s.src(m.to) + " " + s.src(m.from)
	if m.copies {
		return text
	}
	return text + " && rm -f " + s.src(m.from)
}

func (s *script) claimedBy(forms []form) map[*syntax.Stmt]bool {
	claimed := map[*syntax.Stmt]bool{}
	for i, c := range s.candidates {
		if forms[i].text == "" || forms[i].keepsTemp {
			continue
		}
		for _, stmt := range c.stmts {
			claimed[stmt] = true
			for _, stage := range stages(stmt) {
				claimed[stage] = true
			}
		}
	}
	return claimed
}

func (s *script) apply(forms []form) {
	claimed := s.claimedBy(forms)
	settled := map[string]bool{}
	for i, c := range s.candidates {
		f := forms[i]
		if f.text == "" {
			s.reportLeft(c, f)
			continue
		}
		if f.keepsTemp {
			s.replaceMove(c, f)
			continue
		}
		t := s.survey(c.w.to, claimed)
		removable := s.removable(t)
		if !removable && t.made {
			f.text += " && rm -f " + s.src(c.w.to)
		}
		if id := t.key + "\x00" + t.name; !settled[id] || t.in != nil {
			settled[id] = true
			if removable {
				s.remove(t)
			} else {
				s.keepRemovals(t)
			}
		}
		s.replaceAll(c, f)
	}
}

func (s *script) reportLeft(c *candidate, f form) {
	original := s.text[s.bare(c.w.stmt).from:s.bare(c.move.stmt).to]
	s.found(c.w.stmt, Finding{Idiom: f.idiom, Original: original, Reason: f.reason, Verdict: Left})
}

func (s *script) replaceMove(c *candidate, f form) {
	at := s.bare(c.move.stmt)
	s.replace(at, f.text)
	s.found(c.move.stmt, Finding{Idiom: f.idiom, Original: s.text[at.from:at.to], Replacement: f.text})
}

func (s *script) replaceAll(c *candidate, f form) {
	text := f.text + strings.ReplaceAll(c.after, fileMark, s.src(c.move.to))
	shown := text
	if c.endsList && s.names.errexit {
		// The original's failure did not end the script: it was not the last
		// command of its list.
		text += " && :"
	}
	original := s.text[min(c.place.from, s.bare(c.w.stmt).from):max(c.place.to, s.bare(c.move.stmt).to)]
	s.replace(c.place, text)
	for _, at := range c.cut {
		s.replace(at, "")
	}
	s.drop(c.drop...)
	verdict, reason := s.verdict(c.w.stmt, s.key(c.move.to))
	s.found(c.w.stmt, Finding{Idiom: f.idiom, Original: original, Replacement: shown, Verdict: verdict, Reason: reason})
}

// verdict says whether a replaced command depends on what was read before it.
func (s *script) verdict(stmt *syntax.Stmt, key string) (Verdict, string) {
	if source := s.staleSource(stmt, key); source != "" {
		return Partly, "$" + source + " was read from the file earlier, in a transaction of its own: put both into jtx run"
	}
	return Done, ""
}

// staleSource is a variable in a node whose value was made of what the file held
// at an earlier time.
func (s *script) staleSource(n syntax.Node, key string) string {
	found := ""
	for _, name := range variablesIn(n) {
		if found == "" && s.comesFrom(name, key, map[string]bool{}) {
			found = name
		}
	}
	return found
}

func (s *script) comesFrom(name, key string, seen map[string]bool) bool {
	if seen[name] {
		return false
	}
	seen[name] = true
	for _, source := range s.names.fed[name] {
		if s.mentions(source, key) || s.anyFrom(source, key, seen) {
			return true
		}
	}
	for _, a := range s.names.assigns[name] {
		for _, sub := range substitutions(a.Value) {
			if s.mentions(sub, key) {
				return true
			}
		}
		if s.anyFrom(a.Value, key, seen) {
			return true
		}
	}
	return false
}

// anyFrom tells whether a variable in a node comes from the file.
func (s *script) anyFrom(n syntax.Node, key string, seen map[string]bool) bool {
	return slices.ContainsFunc(variablesIn(n), func(name string) bool { return s.comesFrom(name, key, seen) })
}

func variablesIn(n syntax.Node) []string {
	var names []string
	syntax.Walk(n, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.ParamExp:
			if node.Param != nil {
				names = append(names, node.Param.Value)
			}
		case *syntax.ArithmExp:
			names = append(names, arithmeticNames(node)...)
		}
		return true
	})
	return names
}

// arithmeticNames are the variables that arithmetic names without a dollar.
func arithmeticNames(n *syntax.ArithmExp) []string {
	var names []string
	syntax.Walk(n.X, func(node syntax.Node) bool {
		if w, ok := node.(*syntax.Word); ok && syntax.ValidName(w.Lit()) {
			names = append(names, w.Lit())
		}
		return true
	})
	return names
}

func substitutions(n syntax.Node) []*syntax.CmdSubst {
	var subs []*syntax.CmdSubst
	syntax.Walk(n, func(node syntax.Node) bool {
		if sub, ok := node.(*syntax.CmdSubst); ok {
			subs = append(subs, sub)
		}
		return true
	})
	return subs
}
