package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// topic is a page of help that is of no verb.
type topic struct {
	about string
	text  func() string
}

// TopicJSON is a topic as help tells of it.
type TopicJSON struct {
	Topic string     `json:"topic"`
	Short string     `json:"short"`
	Text  string     `json:"text,omitempty"`
	Codes []codeJSON `json:"exit_codes,omitempty"`
}

type codeJSON struct {
	Exit    int    `json:"exit"`
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
}

const topicExitCodes = "exit-codes"

// topics are made when help is asked for: what a package makes before main each start pays.
func topics() map[string]topic {
	return map[string]topic{
		topicExitCodes: {"what the exit codes mean", exitCodes},
		"versions":     {"how an old version is named: FILE@REV, @TXID, @TIME", said(aboutVersions)},
		"pointers":     {"how a place in a document is named", said(aboutPointers)},
		"values":       {"how values, documents and patches are given", said(aboutValues)},
		"environment":  {"the variables that are heeded", environment},
		"files":        {"what jtx keeps, and where", said(aboutFiles)},
		"json":         {"what --json prints", said(aboutJSON)},
	}
}

func said(text string) func() string { return func() string { return text } }

func topicNames() []string { return slices.Sorted(maps.Keys(topics())) }

func topicWords() (words []string) {
	for _, name := range topicNames() {
		words = append(words, name+"\t"+topics()[name].about)
	}
	return words
}

func (a *App) showTopic(name string, t topic) error {
	if a.JSON {
		j := TopicJSON{Topic: name, Short: t.about, Text: t.text()}
		if name == topicExitCodes {
			for code, e := range exits {
				j.Codes = append(j.Codes, codeJSON{code, e.name, e.meaning})
			}
		}
		return a.emitJSON(j)
	}
	return a.showText(func(room int) string { return Fill(t.text(), room) })
}

// unknownTopic is unknownVerb where a topic may be meant, too.
func unknownTopic(root *cobra.Command, word string) error {
	if near := nearest(word, topicNames()); near != "" {
		return Usagef("unknown verb %s", QuoteWord(word)).WithHint("did you mean jtx help %s?", near)
	}
	return unknownVerb(root, word)
}

func exitCodes() string {
	var b strings.Builder
	for code, e := range exits {
		fmt.Fprintf(&b, "%3d  %-9s  %s\n", code, e.name, e.meaning)
	}
	b.WriteString("\n130, 141, 143: ended by SIGINT, SIGPIPE, SIGTERM; nothing is half done\n")
	b.WriteString("\nA verb over many files that can't do one of them does the others, names it, and exits with the first of 6, 8, 7, 4, 5 that occurred.\n")
	b.WriteString("\nWith --json an error is one object on stderr: {\"error\":{\"code\":NAME,\"exit\":CODE,\"message\":...}}.\n")
	return b.String()
}

const aboutVersions = `The first word after a verb is the file. Behind an @ it may name a version of it:

  FILE@7     revision 7: the file's commits are counted from 1
  FILE@-1    the one before the current; @-2 the one before that
  FILE@TXID  as the transaction left it; the beginning of an id will do where it is the only one
  FILE@TIME  as it was at a time: RFC 3339 (2026-01-02T03:04:05Z), or as in '2h ago', with quotes

The units of time are s, m, h, d and w. The last @ starts a version only where a revision, an id or a time follows, and no file has the whole name; --at VERSION says it without doubt.

jtx log FILE lists the versions, jtx get FILE@REV prints one, jtx diff FILE@A FILE@B compares two, jtx restore FILE@REV brings one back. --if-rev FILE@REV makes a change only where that is the current revision; FILE@0: only where there is no file.

jtx compact, and retention, may have dropped versions that are very old; the last one is always kept.
`

const aboutPointers = `A place in a document is an RFC 6901 pointer or, where it begins with a dot, a path as in jq:

  /a/b/0             member a, in it member b, in it the first element
  ''                 the whole document
  /list/-            behind the last element, to append
  /a~1b /a~0b        the members "a/b" and "a~b": ~1 is a slash, ~0 a tilde
  .a.b[0]            the same as /a/b/0
  .["a.example.org"] a name with dots, in quotes for the shell, too
  .list[-1]          the last element

A number in a pointer is an index where an array stands, and a name where an object stands. With set -p missing parents are made: objects, or arrays where a jq path has an index.
`

const aboutValues = `A value (of set, of --default) is JSON: 60, true, null, '"text"', '{"a": 1}', '[1, 2]'. --string takes it as a string, as it is. A number that begins with - is a value, not a flag. - reads it from standard input, --value-file PATH from a file: so no other process sees it.

With set, pairs can be mixed where every word behind FILE is one:

  jtx set FILE /n:=1 /name=Ada    PTR:=JSON and PTR=TEXT

A document or a patch (SRC of put, patch, merge, apply, do) is inline JSON where it begins with [ or {, else a path; - is standard input, which is read without SRC, too, unless that is a terminal. --value JSON is for one that is neither an object nor an array.
`

const aboutFiles = `  FILE.json            stays an ordinary file, always whole
  .jtx/                beside it, or at the root that jtx init made: the history, locks, open transactions; it ignores itself in git
  .jtx/files/          one directory for each tracked file: its journal
  .jtx/tx/             transactions that are open
  .jtx/config.json     what jtx config and jtx protect have set
  .jtx/log/            the log of operations, for jtx stats
  .jtx.UID/            the same in a sticky directory such as /tmp, for each user
  ~/.local/state/jtx/  transactions that were begun without a file, where there is no workspace ($XDG_STATE_HOME)

jtx forget FILE ends the history of a file, jtx init --remove that of a workspace; the files stay. Format 1 of the journals may still change until 0.1.0.
`

const aboutJSON = `With --json a verb prints one JSON document on standard output, or where it streams (log, blame, watch, session) one on each line. An error is one object on standard error, and so is each warning:

  {"error":{"code":NAME,"exit":CODE,"message":...,"file":...,"hint":...}}
  {"warning":...}

A transaction is "tx" everywhere, a file "file"; where the name of a file is no UTF-8, "file_bytes" has it in base64. Times are RFC 3339 in UTC. Names that are there stay, and mean the same; others may be added.

The schemas of all verbs are in cmd/jtx/testdata/schema of the sources, and described in cmd/jtx/JSON.md.
`

// variables are the names of the environment that are heeded, each with its meaning and
// the flag whose default it is.
var variables = []struct{ name, about, flag string }{
	{"JTX_TX", "the open transaction to act in", "tx"},
	{"JTX_ACTOR", "who is recorded as having made a change; else the user", "actor"},
	{"JTX_LOCK_TIMEOUT", "how long to wait for locks, such as 5s; 0: not at all", "lock-timeout"},
	{"JTX_DURABILITY", "what a commit survives: full, journal or none", "durability"},
	{"JTX_PAGER", "the pager for what fills more than a screen; else PAGER, else less; cat: none", ""},
	{"VISUAL", "the editor of jtx edit; else EDITOR, else vi", ""},
	{"NO_COLOR", "not empty: no color, unless --color=always", ""},
	{"TERM", "dumb: no color, no pager, no progress", ""},
	{"XDG_STATE_HOME", "where transactions are kept that were begun without a file; else ~/.local/state", ""},
}

func environment() string {
	var names []string
	about := map[string]string{}
	for _, v := range variables {
		names = append(names, v.name)
		about[v.name] = v.about
		if v.flag != "" {
			about[v.name] += " (--" + v.flag + ")"
		}
	}
	return listOf(names, func(name string) string { return about[name] }) + "\n"
}
