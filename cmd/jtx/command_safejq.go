package main

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

// newSafeJQ makes what the shell function safe_jq calls: jq's own words are told apart
// here, which a POSIX shell can't do well.
func newSafeJQ(a *app) *cobra.Command {
	return &cobra.Command{
		Use:                "safe-jq [-i] ARGS ... [FILE ...]",
		Short:              "jq on one consistent state of files",
		DisableFlagParsing: true,
		RunE: a.Verb(func(_ *cobra.Command, args []string) error {
			write := len(args) > 0 && args[0] == "-i"
			if write {
				args = args[1:]
			}
			if len(args) == 0 {
				return cli.Usagef("safe_jq: missing word").WithHint("usage: safe_jq [-i] ARGS... [FILE...]")
			}
			line := parseJQLine(args)
			switch {
			case len(line.files) == 0:
				return a.runJQ(line.args, nil)
			case write:
				return a.writeJQ(line)
			}
			return a.readJQ(line)
		}),
	}
}

// jqLine is a command line of jq: its files apart from its other words.
type jqLine struct{ args, files []string }

// jqWords says how many words behind an option of jq belong to it.
var jqWords = map[string]int{"--arg": 2, "--argjson": 2, "--slurpfile": 2, "--rawfile": 2, "--argfile": 2, "--indent": 1, "-L": 1, "-f": 1, "--from-file": 1}

// parseJQLine tells the program and the files from the other words. A file may also
// stand before the program.
func parseJQLine(words []string) jqLine {
	var line jqLine
	program, positional, plain := false, false, false
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case !plain && word == "--":
			plain = true
			line.args = append(line.args, word)
		case !plain && len(word) > 1 && word[0] == '-':
			program = program || word == "-f" || word == "--from-file"
			positional = positional || word == "--args" || word == "--jsonargs"
			end := min(i+1+jqWords[word], len(words))
			line.args = append(line.args, words[i:end]...)
			i = end - 1
		case !program && len(line.files) == 0 && i+1 < len(words) && isFileFirst(word, words[i+1:]):
			line.files = append(line.files, word)
		case !program || positional:
			program = true
			line.args = append(line.args, word)
		default:
			line.files = append(line.files, word)
		}
	}
	return line
}

// isFileFirst tells a file that stands before the program from a program.
func isFileFirst(word string, behind []string) bool {
	if info, err := os.Stat(word); err == nil {
		return info.Mode().IsRegular()
	}
	next := slices.IndexFunc(behind, func(w string) bool { return !strings.HasPrefix(w, "-") })
	return next >= 0 && strings.HasSuffix(word, ".json") && !strings.HasSuffix(behind[next], ".json") && !strings.ContainsAny(word, "|()[]{} ")
}

// readJQ runs jq on the documents, one after the other, as they are at one moment.
func (a *app) readJQ(line jqLine) error {
	var in bytes.Buffer
	var flags readFlags
	flags.register(pflag.NewFlagSet("safe-jq", pflag.ContinueOnError)) // the environment's
	err := a.view(&flags, line.files, func(tx *txn.Tx) error {
		in.Reset()
		for _, f := range line.files {
			data, err := tx.Bytes(f)
			if err != nil {
				return err
			}
			in.Write(append(bytes.TrimRight(data, "\n"), '\n'))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.runJQ(line.args, &in)
}

func (a *app) runJQ(args []string, in *bytes.Buffer) error {
	c := exec.Command("jq", args...)
	c.Stdin, c.Stdout, c.Stderr = a.Stdin, os.Stdout, os.Stderr
	if in != nil {
		c.Stdin = in
	}
	return a.RunChild(c)
}

// writeJQ makes what jq prints the document, of each file in turn.
func (a *app) writeJQ(line jqLine) error {
	p := &pipeCommand{a: a, keepLayout: true}
	p.flags.register(pflag.NewFlagSet("safe-jq", pflag.ContinueOnError))
	a.Quiet = true // as of jq, there is nothing to say
	var errs []error
	for _, f := range line.files {
		errs = append(errs, a.change(&p.flags, []string{f}, func(tx *txn.Tx) error {
			return p.through(tx, f, append([]string{"jq"}, line.args...))
		}))
	}
	return cli.Several(errs...)
}
