// Package plus is what jtx and jtx-plus agree on. jtx-plus has the verbs with a screen,
// a socket or a language: what they need would be paid for by each start of jtx.
package plus

import (
	"slices"

	"github.com/spf13/cobra"
)

// Name is that of the program's file.
const Name = "jtx-plus"

// CallerVersion is the environment variable in which jtx tells its version.
const CallerVersion = "JTX_CALLER_VERSION"

// Verb is what both programs tell of a verb.
type Verb struct{ Name, Words, Short string }

// Verbs are those of jtx-plus, in the order in which help shows them.
var Verbs = []Verb{
	{"mcp", "[ROOT ...]", "serve JSON files, or a memory, to an agent"},
	{"rewrite", "SCRIPT ...", "replace unsafe JSON writes in shell scripts"},
}

// Find returns the verb of a name.
func Find(name string) (Verb, bool) {
	at := slices.IndexFunc(Verbs, func(v Verb) bool { return v.Name == name })
	if at < 0 {
		return Verb{}, false
	}
	return Verbs[at], true
}

// Command is the verb's command, without what it does.
func (v Verb) Command() *cobra.Command {
	return &cobra.Command{Use: v.Name + " " + v.Words, Short: v.Short}
}

// Group is the heading of the verbs in help.
func Group() *cobra.Group {
	return &cobra.Group{ID: Name, Title: "With a screen, a socket or a language (" + Name + ")"}
}
