package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// A completion must not keep the user waiting: it gives up in time, and offers no
// more than can be read.
const (
	completionTime = 300 * time.Millisecond
	maxCompletions = 200
)

// completeFiles completes the words of a verb: names of files and their versions,
// and where the verb takes them, pointers into the file at hand.
func completeFiles(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	c, done := newCompleter(cmd)
	defer done()
	switch {
	case c.s == nil:
	case takesPointer(cmd.Name(), len(args)) && strings.HasPrefix(word, "."):
		return c.paths(args[0], word)
	case takesPointer(cmd.Name(), len(args)):
		return c.pointers(args[0], word)
	case strings.Contains(word, "@"):
		if versions := c.versions(word); len(versions) > 0 {
			return versions, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		}
	case cmd.Name() == "apply" && len(args) == 0:
		return c.openTxs(word), cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// takesPointer tells whether the word behind n others is a pointer into the first.
func takesPointer(verb string, n int) bool {
	switch verb {
	case "get", "blame", "redact":
		return n == 1
	case "set":
		return n%2 == 1
	case "del":
		return n >= 1
	}
	return false
}

// completeOpenTxs completes a word as an open transaction.
func completeOpenTxs(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	c, done := newCompleter(cmd)
	defer done()
	if c.s == nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.openTxs(word), cobra.ShellCompDirectiveNoFileComp
}

// completeFlagTx completes the value of a flag as an open transaction.
func completeFlagTx(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completeOpenTxs(cmd, nil, word)
}

// completeTxs completes a word as a transaction of the history, which a version of
// a file names too.
func completeTxs(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	c, done := newCompleter(cmd)
	defer done()
	if c.s == nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if strings.Contains(word, "@") {
		return c.versions(word), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
	var words []string
	for entry, err := range history.Log(c.ctx, c.s, nil, history.LogOptions{}) {
		if err != nil || len(words) == maxCompletions {
			break
		}
		if id := entry.ID.String(); strings.HasPrefix(id, word) {
			words = append(words, described(id, cli.TimeText(entry.Time)+" "+cli.Told(entry)))
		}
	}
	if len(words) == 0 {
		return nil, cobra.ShellCompDirectiveDefault // the beginning of FILE@REV
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// completeTransactions gives the verbs and flags that take a transaction their
// completion.
func completeTransactions(cmd *cobra.Command) {
	for _, flag := range []string{"tx", "break"} {
		if cmd.Flags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, completeFlagTx) // it fails for a flag that is not there
		}
	}
	for flag, words := range flagWords {
		if cmd.Flags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	switch cmd.Name() {
	case "config":
		cmd.ValidArgsFunction = completeSettings
	case "commit", "abort":
		cmd.ValidArgsFunction = completeOpenTxs
	case "undo", "show":
		cmd.ValidArgsFunction = completeTxs
	}
}

// flagWords are the values of flags that have but a few.
var flagWords = map[string][]string{
	"durability": {"full\tjournal, file and directory are synced", "journal\tthe directory is not synced", "none\tsurvives kill -9 only"},
	"indent":     {"2", "4", "tab", "compact"},
	"decide":     {"committed", "discarded"},
}

// completeSettings completes the name of a setting.
func completeSettings(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var words []string
	for _, s := range settings() {
		if len(args) == 0 {
			words = append(words, s.name+"\t"+s.about)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completer looks up what words can be completed to. Where it meets an error it
// offers nothing: there is nowhere to tell.
type completer struct {
	ctx context.Context
	s   *txn.Store // nil where there is none
}

func newCompleter(cmd *cobra.Command) (c *completer, done func()) {
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	c = &completer{ctx: ctx}
	dir, _ := cmd.Flags().GetString("directory")
	if s, err := txn.Open(cmp.Or(dir, "."), txn.Options{LockTimeout: completionTime}); err == nil {
		c.s = s
	}
	return c, cancel
}

// described joins a completion and what shells show beside it.
func described(word, about string) string {
	return word + "\t" + strings.TrimSpace(cli.Printable(strings.ReplaceAll(about, "\t", " ")))
}

func (c *completer) openTxs(word string) []string {
	list, err := c.s.OpenTxs(c.ctx, nil)
	if err != nil {
		return nil
	}
	var words []string
	for _, info := range list {
		if strings.HasPrefix(info.ID, word) {
			words = append(words, described(info.ID, age(info)+" "+filesOf(info)))
		}
	}
	return words
}

func (c *completer) versions(word string) []string {
	at := strings.LastIndexByte(word, '@')
	file, begun := word[:at], word[at+1:]
	var words []string
	for entry, err := range history.Log(c.ctx, c.s, []string{file}, history.LogOptions{}) {
		if err != nil || len(words) == maxCompletions || len(entry.Files) == 0 {
			break
		}
		if rev := strconv.FormatUint(entry.Files[0].Rev, 10); strings.HasPrefix(rev, begun) {
			words = append(words, described(file+"@"+rev, cli.TimeText(entry.Time)+" "+cli.Told(entry)))
		}
	}
	return words
}

// pointers are those to the members or elements of the container that the word
// leads to so far. Where only one is left, and it leads no further, the word ends.
func (c *completer) pointers(file, word string) ([]string, cobra.ShellCompDirective) {
	parent := word[:max(0, strings.LastIndexByte(word, '/'))]
	return c.keys(file, parent, word, func(k key) string { return parent + jsonpatch.Pointer{k.name}.String() })
}

// paths are the same as paths of jq.
func (c *completer) paths(file, word string) ([]string, cobra.ShellCompDirective) {
	at := max(strings.LastIndexByte(word, '.'), strings.LastIndexByte(word, '['))
	if quoted := strings.LastIndex(word, `["`); quoted >= 0 && !strings.Contains(word[quoted:], `"]`) {
		at = quoted
	}
	parent := strings.TrimSuffix(word[:at], ".") // of .["a
	ptr, err := change.Place(cmp.Or(parent, "."))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	return c.keys(file, ptr, word, func(k key) string {
		switch {
		case k.index && parent == "":
			return ".[" + k.name + "]"
		case k.index:
			return parent + "[" + k.name + "]"
		case plainKey().MatchString(k.name):
			return parent + "." + k.name
		case parent == "":
			return ".[" + strconv.Quote(k.name) + "]"
		}
		return parent + "[" + strconv.Quote(k.name) + "]"
	})
}

// plainKey is a name that a path of jq has without quotes.
var plainKey = cli.Pattern(`^[A-Za-z_][A-Za-z0-9_]*$`)

// keys are what the container at ptr has, in the form that a word has.
func (c *completer) keys(file, ptr, word string, form func(key) string) ([]string, cobra.ShellCompDirective) {
	how := cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	var raw json.RawMessage
	err := c.s.View(c.ctx, []string{file}, func(tx *txn.Tx) (err error) {
		raw, err = tx.Get(file, ptr)
		return err
	})
	if err != nil {
		return nil, how
	}
	keys, err := keysOf(jsonpatch.Compact(raw))
	if err != nil {
		return nil, how
	}
	var words []string
	further := false
	for _, k := range keys {
		full := form(k)
		if strings.HasPrefix(full, word) && len(words) < maxCompletions && !strings.ContainsAny(full, "\t\n") {
			words = append(words, described(full, k.about))
			further = further || k.container
		}
	}
	if len(words) == 1 && !further {
		how &^= cobra.ShellCompDirectiveNoSpace
	}
	return words, how
}

type key struct {
	name, about      string
	container, index bool
}

// keysOf lists the members or elements of a container, in their order.
func keysOf(text []byte) ([]key, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return nil, errors.Join(err, errors.New("no container"))
	}
	var keys []key
	for dec.More() {
		name := strconv.Itoa(len(keys))
		if open == json.Delim('{') {
			token, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name, _ = token.(string)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		keys = append(keys, key{name, shortValue(value), strings.ContainsAny(string(value[:1]), "[{"), open == json.Delim('[')})
	}
	return slices.Clip(keys), nil
}

// shortValue is the beginning of a value.
func shortValue(value []byte) string {
	text := []rune(string(value))
	if len(text) > 40 {
		return string(text[:37]) + "..."
	}
	return string(text)
}
