package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const topicExitCodes = "exit-codes"

// setHelp makes jtx help, and the form of every verb's help.
func setHelp(a *App, p *Program, root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		// The only error is that nobody reads it, and cobra has no way for it.
		_ = a.Emit([]byte(p.helpOf(root, cmd)))
	})
	help := &cobra.Command{
		Use:     "help [VERB]",
		Short:   "show the verbs, or one of them",
		Long:    "Shows the verbs, or one verb with its flags and an example.\n\njtx help exit-codes shows what the exit codes mean.",
		Example: Example(`jtx help set`, `jtx help exit-codes`),
		RunE: a.Verb(func(cmd *cobra.Command, args []string) error {
			text, err := p.helpText(root, args)
			if err != nil {
				return err
			}
			return a.Emit([]byte(text))
		}),
		GroupID:               p.SetUp,
		Hidden:                p.SetUp == "",
		DisableFlagsInUseLine: true,
	}
	root.SetHelpCommand(help)
	root.AddCommand(help)
}

func (p *Program) helpText(root *cobra.Command, args []string) (string, error) {
	switch {
	case len(args) == 0:
		return p.overview(root), nil
	case args[0] == topicExitCodes:
		return exitCodes(), nil
	}
	cmd, rest, err := root.Find(args)
	if err != nil || len(rest) > 0 || cmd == root {
		return "", unknownVerb(root, args[0])
	}
	return p.helpOf(root, cmd), nil
}

func (p *Program) helpOf(root, cmd *cobra.Command) string {
	if cmd == root {
		return p.overview(root)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n", cmd.UseLine())
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	b.WriteString(text + "\n")
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExample:\n%s\n", cmd.Example)
	}
	if flags := flagsOf(cmd.LocalFlags()); flags != "" {
		fmt.Fprintf(&b, "\nFlags:\n%s", flags)
	}
	fmt.Fprintf(&b, "\nFlags of every verb:\n%s", flagsOf(root.PersistentFlags()))
	return b.String()
}

// flagsOf describes flags, without the one that every program has.
func flagsOf(fs *pflag.FlagSet) string {
	if help := fs.Lookup("help"); help != nil {
		help.Hidden = true
	}
	const choice = "[=true|false]"
	return strings.ReplaceAll(fs.FlagUsages(), choice, strings.Repeat(" ", len(choice)))
}

// overview is what jtx help shows.
func (p *Program) overview(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(p.Intro + "\n")
	b.WriteString("\nUsage: jtx VERB ARGS\n")
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n%s:\n", g.Title)
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID && !cmd.Hidden {
				_, words, _ := strings.Cut(cmd.Use, " ")
				fmt.Fprintf(&b, "  %-10s %-34s %s\n", cmd.Name(), words, cmd.Short)
			}
		}
	}
	b.WriteString("\njtx help VERB shows a verb with an example, jtx help exit-codes what the exit codes mean.\n")
	return b.String()
}

func exitCodes() string {
	var b strings.Builder
	for code, e := range exits {
		fmt.Fprintf(&b, "%3d  %-9s %s\n", code, e.name, e.meaning)
	}
	b.WriteString("130, 141, 143: ended by SIGINT, SIGPIPE, SIGTERM; nothing is half done\n")
	b.WriteString("\nWith --json an error is one object on stderr: {\"error\":{\"code\":NAME,\"exit\":CODE,\"message\":...}}.\n")
	return b.String()
}
