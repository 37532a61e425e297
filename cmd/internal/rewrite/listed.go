package rewrite

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// findListed lists what writes JSON files, or may, and is not understood well enough to
// be replaced: no idiom covers it, and silence would look as if it were safe.
func (s *script) findListed(stmt *syntax.Stmt) {
	for _, stage := range stages(stmt) {
		if s.claimed[stage] {
			continue
		}
		c, ok := callOf(stage)
		if !ok {
			continue
		}
		if idiom, reason := s.listed(c); reason != "" {
			s.leave(stage, idiom, reason)
			return
		}
	}
	s.listUnknownFile(stmt)
}

// listed says how a command writes a JSON file, and what can be done about it.
func (s *script) listed(c *call) (idiom, reason string) {
	name := strings.TrimPrefix(c.name, `\`)
	named := s.jsonArgument(c)
	switch name {
	case "cp", "install", "rsync", "dd", "ln", "scp":
		if len(c.args) > 1 && s.namesJSON(c.args[len(c.args)-1]) || name == "dd" && named {
			return name + " over a JSON file", "others see the file half written, and what it held is gone: jtx put FILE SRC, or jtx cp A B"
		}
	case "truncate", "shred":
		if named {
			return name, "it empties a JSON file for whoever reads it: jtx put FILE '{}', or jtx rm FILE"
		}
	case "curl", "wget":
		if s.downloads(c) {
			return name + " to a file", "a download that is cut off leaves half of the file: let it print, and pipe that into jtx put FILE"
		}
	case "tee":
		if named {
			return "tee", "it empties the file, and then writes it: jtx put FILE reads standard input too"
		}
	case "npm", "pnpm", "yarn", "bun":
		if s.hasWord(c, "pkg") && (s.hasWord(c, "set") || s.hasWord(c, "delete") || s.hasWord(c, "fix")) || s.hasWord(c, "version") && name != "yarn" {
			return name, "it writes package.json by itself: jtx set package.json, or jtx protect package.json, which records what it writes"
		}
	case "yq", "dasel", "sed", "perl", "ed", "ex", "jaq", "gojq":
		if named && (s.inPlace(c) || name == "dasel" && (s.hasWord(c, "put") || s.hasWord(c, "delete")) || name == "ed" || name == "ex") {
			return name + " in place", "it reads and writes the file without a lock: jtx update FILE JQ, or jtx pipe FILE -- CMD with a command that prints"
		}
	case "python", "python3":
		if operands := s.jsonOperands(c); s.formatsByPython(c) && operands > 1 {
			return "python's json.tool", "it empties the file before it is written: jtx pipe FILE -- python3 -m json.tool FILE"
		}
	case "json", "npx":
		if named && s.hasWord(c, "-I") {
			return name + " in place", "it reads and writes the file without a lock: jtx update FILE JQ"
		}
	case "ssh", "docker", "podman", "kubectl", "nsenter", "chroot", "lxc", "vagrant":
		if s.hasWord(c, "cp") && len(c.args) > 2 && s.namesJSON(c.args[len(c.args)-1]) {
			return name + " cp", "where it copies to, others see the file half written: copy to a temporary file, and jtx put that"
		}
		if writesJSONText(s.src(c.stmt)) {
			return name, "what it runs is elsewhere, and is not understood: rewrite the script that runs there"
		}
	case "sh", "bash", "dash", "zsh", "su", "sudo", "doas", "find", "xargs", "eval", "env":
		if writesJSONText(s.src(c.stmt)) {
			return name, "the text that it runs is not understood here: put it into a script of its own, and rewrite that"
		}
	default:
		if named && s.names.funcs[c.name] == nil && s.inPlace(c) {
			return name, "this program is not known to jtx rewrite, and seems to write the file by itself: jtx pipe FILE -- CMD runs one that prints"
		}
		if named && s.names.funcs[c.name] == nil && s.downloads(c) {
			return name + " to a file", "others see the file half written: let it print, and run it with jtx pipe FILE --"
		}
	}
	return "", ""
}

// jsonOperands counts the arguments that name JSON files.
func (s *script) jsonOperands(c *call) int {
	n := 0
	for _, w := range c.args {
		if s.namesJSON(w) {
			n++
		}
	}
	return n
}

func (s *script) jsonArgument(c *call) bool {
	return slices.ContainsFunc(c.args, func(w *syntax.Word) bool {
		if _, value, ok := strings.Cut(s.key(w), "of="); ok { // of dd
			return endsInJSON(value)
		}
		return s.namesJSON(w)
	})
}

func (s *script) hasWord(c *call, word string) bool {
	return slices.ContainsFunc(c.args, func(w *syntax.Word) bool { return w.Lit() == word })
}

// inPlace tells that an option asks a program to write the file that it reads.
func (s *script) inPlace(c *call) bool {
	return slices.ContainsFunc(c.args, func(w *syntax.Word) bool {
		text := w.Lit()
		switch {
		case text == "--write", text == "--fix", strings.HasPrefix(text, "--in-place"), strings.HasPrefix(text, "--inplace"):
			return true
		case strings.HasPrefix(text, "--"):
			return false
		}
		return len(text) > 1 && text[0] == '-' && (text[1] == 'i' || text == "-w" || strings.HasSuffix(text, "i"))
	})
}

// flagsWithO are letters of curl of which the last wants a file: -fsSLo FILE.
var flagsWithO = regexp.MustCompile(`^-[A-Za-z#]+o$`)

// downloads tells that a program stores what it gets under a JSON file's name.
func (s *script) downloads(c *call) bool {
	for i, w := range c.args {
		key := s.key(w)
		switch {
		case key == "-o" || key == "-O" || key == "--output" || key == "--output-document" || c.name == "curl" && flagsWithO.MatchString(key):
			if i+1 < len(c.args) && s.namesJSON(c.args[i+1]) {
				return true
			}
		case strings.HasPrefix(key, "--output=") || strings.HasPrefix(key, "--output-document=") || strings.HasPrefix(key, "-o") || strings.HasPrefix(key, "-O"):
			if endsInJSON(key) {
				return true
			}
		}
		if (key == "-O" && c.name == "curl" || key == "--remote-name") && slices.ContainsFunc(c.args, s.namesJSON) {
			return true
		}
	}
	return c.name == "wget" && !s.hasWord(c, "-O") && !s.hasWord(c, "-O-") && !s.hasWord(c, "-qO-") && slices.ContainsFunc(c.args, s.namesJSON)
}

// writesJSONText tells whether a text that some shell runs seems to write a JSON file.
func writesJSONText(text string) bool {
	writes := strings.Contains(text, ">") || strings.Contains(text, "mv ") || strings.Contains(text, "tee ") || strings.Contains(text, "sponge") || strings.Contains(text, " -i")
	return writes && (strings.Contains(text, ".json") || strings.Contains(text, "jq "))
}

// jsonPrinters print a document: what they are redirected to is a JSON file.
var jsonPrinters = setOf("jq gojq jaq jo")

// listUnknownFile is for jq ... > "$CFG", where nothing tells what CFG is.
func (s *script) listUnknownFile(stmt *syntax.Stmt) {
	w, ok := writerOf(stmt)
	if !ok || s.claimed[stmt] || variable(w.to) == "" || s.isTemporary(w.to) {
		return
	}
	last, ok := callOf(w.stages[len(w.stages)-1])
	if !ok || !jsonPrinters()[last.name] && !s.formatsByPython(last) {
		return
	}
	if last.name == "jq" {
		if q, ok := parseJQ(last.args); !ok || q.raw || q.odd != "" {
			return // it is no JSON that it prints
		}
	}
	s.leave(stmt, last.name+" > "+s.src(w.to), "nothing here tells what "+s.src(w.to)+" is: where that is a JSON file, feed jtx put "+s.src(w.to))
}

// formatsByPython tells python3 -m json.tool from other calls.
func (s *script) formatsByPython(c *call) bool {
	return strings.HasPrefix(c.name, "python") && (s.hasWord(c, "json.tool") || s.hasWord(c, "-mjson.tool"))
}

// heredocIsNone says why the text of a heredoc may be no document: what its variables
// stand for is taken as a number, which may stand wherever JSON has a value.
func (s *script) heredocIsNone(r *syntax.Redirect) string {
	if r == nil || r.Hdoc == nil {
		return ""
	}
	var b strings.Builder
	plain := true
	for _, part := range r.Hdoc.Parts {
		if lit, ok := part.(*syntax.Lit); ok {
			b.WriteString(lit.Value)
			continue
		}
		plain = false
		b.WriteString("0")
	}
	text := b.String()
	if validJSON(text) || validJSON(unescapeQuoted(text)) {
		return ""
	}
	if plain {
		return "the text is not a JSON document"
	}
	return "whether the text is a JSON document depends on its variables"
}
