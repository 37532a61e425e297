package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const topicExitCodes = "exit-codes"

// setHelp makes jtx help, and the form of every verb's help.
func setHelp(a *app, root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		// The only error is that nobody reads it, and cobra has no way for it.
		_ = a.emit([]byte(helpOf(root, cmd)))
	})
	help := &cobra.Command{
		Use:     "help [VERB]",
		Short:   "show the verbs, or one of them",
		Long:    "Shows the verbs, or one verb with its flags and an example.\n\njtx help exit-codes shows what the exit codes mean.",
		Example: example(`jtx help set`, `jtx help exit-codes`),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			text, err := helpText(root, args)
			if err != nil {
				return err
			}
			return a.emit([]byte(text))
		}),
		GroupID:               groupSetUp,
		DisableFlagsInUseLine: true,
	}
	root.SetHelpCommand(help)
	root.AddCommand(help)
}

func helpText(root *cobra.Command, args []string) (string, error) {
	switch {
	case len(args) == 0:
		return overview(root), nil
	case args[0] == topicExitCodes:
		return exitCodes(), nil
	}
	cmd, rest, err := root.Find(args)
	if err != nil || len(rest) > 0 || cmd == root {
		return "", unknownVerb(root, args[0])
	}
	return helpOf(root, cmd), nil
}

func helpOf(root, cmd *cobra.Command) string {
	if cmd == root {
		return overview(root)
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
func overview(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("jtx changes JSON files in transactions: whole, durable, several at once, undone by no crash.\n")
	b.WriteString("\nUsage: jtx VERB ARGS\n")
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n%s:\n", g.Title)
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID {
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
