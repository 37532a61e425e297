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
		if len(c.args) > 1 && s.mayBeJSON(c.args[len(c.args)-1]) || name == "dd" && named {
			return name + " over a JSON file", "others see the file half written, and what it held is gone: jtx put FILE SRC, or jtx cp A B"
		}
	case "touch":
		if named && !s.hasWord(c, "-c") {
			return name, "where the file is not there it makes an empty one, which is not JSON: jtx put --if-missing FILE '{}'"
		}
	case "git":
		if named && (s.hasWord(c, "checkout") || s.hasWord(c, "restore") || s.hasWord(c, "reset") || s.hasWord(c, "apply")) {
			return name, "it writes the file by itself: jtx records that as an edit from outside, when it next looks"
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
		if s.hasWord(c, "pkg") && (s.hasWord(c, "set") || s.hasWord(c, "delete") || s.hasWord(c, "fix")) || s.hasWord(c, "version") && name != "yarn" || s.installs(c) {
			return name, "it writes package.json by itself: jtx set package.json, or jtx protect package.json, which records what it writes"
		}
	case "yq", "dasel", "sed", "gsed", "perl", "ed", "ex", "jaq", "gojq":
		if named && (s.inPlace(c) || name == "dasel" && (s.hasWord(c, "put") || s.hasWord(c, "delete")) || name == "ed" || name == "ex") {
			return name + " in place", "it reads and writes the file without a lock: jtx update FILE JQ, or jtx pipe FILE -- CMD with a command that prints"
		}
	case "composer":
		if s.hasWord(c, "require") || s.hasWord(c, "remove") || s.hasWord(c, "config") {
			return name, "it writes composer.json by itself: jtx protect composer.json records what it writes"
		}
	default:
		return s.listedRunner(c, name, named)
	}
	return "", ""
}

// listedRunner is for what runs a program, here or elsewhere, and for unknown programs.
func (s *script) listedRunner(c *call, name string, named bool) (idiom, reason string) {
	switch name {
	case "python", "python3", "ruby", "node", "deno", "php", "lua":
		operands := s.jsonOperands(c)
		switch {
		case s.formatsByPython(c) && operands > 1:
			return "python's json.tool", "it empties the file before it is written: jtx pipe FILE -- python3 -m json.tool FILE"
		case !s.formatsByPython(c) && operands > 0 && !slices.ContainsFunc(c.args, isInline):
			return s.unknownProgram(c, name, true)
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
		if s.names.funcs[c.name] == nil {
			return s.unknownProgram(c, name, named)
		}
	}
	return "", ""
}

// installs tells that a package is added to what package.json asks for, or taken out.
func (s *script) installs(c *call) bool {
	words, _ := c.operands("DEPSg")
	switch firstLit(words) {
	case "add", "remove", "rm", "uninstall", "upgrade":
		return true
	case "install", "i":
		return len(words) > 1
	}
	return false
}

// isInline tells that a program's text is on the command line, where findForeign looks.
func isInline(w *syntax.Word) bool {
	switch w.Lit() {
	case "-c", "-e", "-ne", "-n", "-r", "-p", "--eval", "--print", "eval":
		return true
	}
	return false
}

// unknownProgram is for a program of which is not known what it does to a JSON file that
// it is given.
func (s *script) unknownProgram(c *call, name string, named bool) (idiom, reason string) {
	switch {
	case s.downloads(c):
		return name + " to a file", "others see the file half written: let it print, and run it with jtx pipe FILE --"
	case !named || readers()[name]:
		return "", ""
	case s.inPlace(c):
		return name, "this program is not known to jtx rewrite, and seems to write the file by itself: jtx pipe FILE -- CMD runs one that prints"
	case name == "":
		name = s.src(c.expr.Args[0])
	}
	return name, "this program is not known to jtx rewrite: where it writes the file, let it print, and run it with jtx pipe FILE -- CMD"
}

// readers are commands that only read the files that they are given, or do no more than
// remove them or change their mode.
var readers = setOf("jq gojq jaq cat bat less more head tail grep egrep fgrep rg wc diff cmp ls stat file test [ echo printf : true false " +
	"md5sum sha1sum sha256sum sha512sum shasum cksum base64 xxd od hexdump strings cut sort uniq tr awk gawk sed yq dasel gron jsonnet cue " +
	"cp mv rm chmod chown chgrp basename dirname realpath readlink du tar zip gzip source . export local declare typeset readonly unset read " +
	"exit return cd mkdir set trap wait sleep kill which command type hash logger jtx date helm terraform tofu gh az gcloud ajv " +
	"check-jsonschema envsubst flock inotifywait fswatch entr timeout nice watch sudo open xdg-open psql sqlite3")

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

// jsonArgument tells that a command is given the name of a JSON file, but for @FILE and
// file://FILE, which are read.
func (s *script) jsonArgument(c *call) bool {
	return slices.ContainsFunc(c.args, func(w *syntax.Word) bool {
		key := s.key(w)
		if _, value, ok := strings.Cut(key, "of="); ok { // of dd
			return endsInJSON(value)
		}
		return s.mayBeJSON(w) && !strings.HasPrefix(key, "@") && !strings.Contains(key, "://") && !strings.Contains(key, "=@")
	})
}

// mayBeJSON tells whether a word names a JSON file: by its end, or since the script reads
// it as one.
func (s *script) mayBeJSON(w *syntax.Word) bool {
	return s.namesJSON(w) || variable(w) != "" && !s.isTemporary(w) && s.readAsJSON()[s.key(w)]
}

// readAsJSON are the files, by their keys, that jq and its like read in the script.
func (s *script) readAsJSON() map[string]bool {
	if s.asJSON != nil {
		return s.asJSON
	}
	s.asJSON = map[string]bool{}
	syntax.Walk(s.file, func(n syntax.Node) bool {
		stmt, ok := n.(*syntax.Stmt)
		if !ok {
			return true
		}
		c, ok := callOf(stmt)
		if !ok || c.name != "jq" && !s.formatsByPython(c) {
			return true
		}
		files := c.args
		if q, ok := parseJQ(c.args); c.name == "jq" && ok {
			if files = q.files; q.odd != "" {
				return true // it need not be JSON
			}
		}
		for _, w := range files {
			s.asJSON[s.key(w)] = true
		}
		if in := input(stmt); in != nil && in.Op == syntax.RdrIn {
			s.asJSON[s.key(in.Word)] = true
		}
		return true
	})
	return s.asJSON
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

// outputFlags want the name of the file that is written.
var outputFlags = setOf("-o -O -out --out --output --output-document --output-file --outfile --out-file --dest --destination")

// downloads tells that a program stores what it gets under a JSON file's name.
func (s *script) downloads(c *call) bool {
	for i, w := range c.args {
		key := s.key(w)
		switch {
		case outputFlags()[key] || c.name == "curl" && flagsWithO.MatchString(key):
			if i+1 < len(c.args) && s.mayBeJSON(c.args[i+1]) {
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
var jsonPrinters = setOf("jq gojq jaq jo jc jsonnet")

// jsonFormat are words by which programs are asked for JSON: kubectl get -o json.
var jsonFormat = regexp.MustCompile(`^(-o=?|--?output=?|--?format=?|-[a-z]*)?-{0,2}(json|ojson|J)$`)

// listUnknownFile is for jq ... > "$CFG", where nothing tells what CFG is.
func (s *script) listUnknownFile(stmt *syntax.Stmt) {
	w, ok := writerOf(stmt)
	if !ok || s.claimed[stmt] || variable(w.to) == "" || s.isTemporary(w.to) {
		return
	}
	last, ok := callOf(w.stages[len(w.stages)-1])
	switch {
	case s.readAsJSON()[s.key(w.to)]:
		s.leave(stmt, "> "+s.src(w.to), "the script reads "+s.src(w.to)+" as JSON: where it is more than a temporary file, feed jtx put "+s.src(w.to))
	case ok && s.prints(last):
		s.leave(stmt, last.name+" > "+s.src(w.to), "nothing here tells what "+s.src(w.to)+" is: where that is a JSON file, feed jtx put "+s.src(w.to))
	}
}

// prints tells whether a program prints JSON.
func (s *script) prints(c *call) bool {
	switch c.name {
	case "jq":
		q, ok := parseJQ(c.args)
		return ok && !q.raw && q.odd == ""
	case "docker", "podman":
		return s.hasWord(c, "inspect")
	case "gh":
		return s.hasWord(c, "api")
	case "aws":
		return !s.hasWord(c, "text") && !s.hasWord(c, "table")
	}
	return jsonPrinters()[c.name] || s.formatsByPython(c) ||
		slices.ContainsFunc(c.args, func(w *syntax.Word) bool { return jsonFormat.MatchString(w.Lit()) })
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
		if p, ok := part.(*syntax.ParamExp); ok && plainParam(p) != "" {
			if value := s.names.once(plainParam(p)); value != nil {
				if known, ok := static(value); ok {
					b.WriteString(known)
					continue
				}
			}
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
