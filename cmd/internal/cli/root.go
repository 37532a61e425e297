package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Run is how people run a verb, whichever program has it.
const Run = "jtx"

// Program is one of the commands that jtx is made of: what is its own.
type Program struct {
	Name   string // of its file
	Short  string // what it is, on one line
	Intro  string // the first line of its help
	Groups []*cobra.Group
	Verbs  []Verb
	Others []Verb // of another program, shown beside its own
	SetUp  string // the heading of the verbs that each program has

	// Join puts the words together that are one value, before flags are parsed.
	Join func(root *cobra.Command, args []string) []string
	// Before is asked before a verb is looked for, and may do all there is to do.
	Before func(p *Program, a *App, args []string) (done bool, err error)
	// Bare is done where there is no verb.
	Bare func(a *App, root *cobra.Command) error
}

// Verb is a command of a program. Verbs are in the order in which help shows them;
// one without a heading is not shown.
type Verb struct {
	Group, Name string
	Make        func(*App) *cobra.Command
}

// shared are the verbs that each program has.
func (p *Program) shared() []Verb {
	return []Verb{{p.SetUp, "completion", newCompletion}, {p.SetUp, "man", newMan}, {p.SetUp, "version", newVersion}}
}

// Has tells whether the program itself has a verb.
func (p *Program) Has(name string) bool {
	is := func(v Verb) bool { return v.Name == name }
	return slices.ContainsFunc(p.Verbs, is) || slices.ContainsFunc(p.shared(), is)
}

// AllVerbs wants each of them.
func AllVerbs(string) bool { return true }

// NewRoot makes the command that holds those verbs that are wanted.
func (p *Program) NewRoot(a *App, wanted func(name string) bool) *cobra.Command {
	cobra.EnableCommandSorting = false // the order of verbs is for people
	var version bool
	root := &cobra.Command{
		Use:                        p.Name + " VERB ARGS",
		Short:                      p.Short,
		Long:                       p.Intro,
		Annotations:                map[string]string{cobra.CommandDisplayNameAnnotation: Run},
		Args:                       cobra.ArbitraryArgs,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return unknownVerb(cmd, Unmark(args)[0])
			case version:
				return a.printVersion(p.Name)
			}
			return a.Verb(func(cmd *cobra.Command, _ []string) error { return p.Bare(a, cmd) })(cmd, args)
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	a.RegisterFlags(root.PersistentFlags())
	root.AddGroup(p.Groups...)
	for _, v := range slices.Concat(p.Verbs, p.shared(), p.Others) {
		if !wanted(v.Name) {
			continue
		}
		cmd := v.Make(a)
		cmd.GroupID, cmd.Hidden = v.Group, v.Group == ""
		cmd.DisableFlagsInUseLine = true
		root.AddCommand(cmd)
	}
	// The only error is that there is no such flag.
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"always", "never", "auto"}, cobra.ShellCompDirectiveNoFileComp))
	root.SetFlagErrorFunc(flagError)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	setHelp(a, p, root, wanted)
	return root
}

// RegisterFlags declares the flags of every verb.
func (a *App) RegisterFlags(fs *pflag.FlagSet) {
	fs.StringVarP(&a.dir, "directory", "C", "", "act as if started in `DIR`")
	fs.BoolVar(&a.JSON, "json", false, "one JSON document on stdout, errors as JSON on stderr")
	fs.Var(&color, "color", "always, never or auto: where the output is a terminal")
	fs.BoolVarP(&a.Quiet, "quiet", "q", false, "print no data and no notes, only errors")
}

// tellsOfOthers reports whether a command needs to know the verbs beside it: a word
// that names none suggests some, and the shell's completion asks the root.
func tellsOfOthers(root, cmd *cobra.Command) bool {
	switch cmd.Name() {
	case "help", "man", "completion":
		return true
	}
	return cmd == root
}

// Words demands between low and high words after the verb; a negative high is any
// number.
func Words(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return missingAt(cmd, len(args))
		case high >= 0 && len(args) > high:
			return Usagef("too many words: %s", QuoteWord(Unmark(args)[high])).WithHint("usage: %s", cmd.UseLine())
		}
		return nil
	}
}

// Missing says that a word is missing, without knowing which.
func Missing(cmd *cobra.Command) error { return missingAt(cmd, -1) }

// missingAt names the word that is missing behind so many others, where the usage is a
// plain list of words.
func missingAt(cmd *cobra.Command, n int) error {
	what := ""
	if words := strings.Fields(cmd.Use)[1:]; n >= 0 && n < len(words) && !strings.ContainsAny(cmd.Use, "|") {
		what = " " + strings.Trim(words[n], "[].")
	}
	return Usagef("%s: missing word%s", cmd.CommandPath(), what).WithHint("usage: %s", cmd.UseLine())
}

// Example joins the lines of a command's example. Each is run by a test, in a
// directory that has the files which it names.
func Example(lines ...string) string {
	return "  " + strings.Join(lines, "\n  ")
}

func Plural(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
