package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newMan(a *App) *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "write the manual pages",
		Long:    "Writes the manual pages, jtx.1 and a jtx-VERB.1 for each verb, into DIR, which is made.",
		Example: Example(`jtx man man1`, `ls man1/jtx.1`),
		Args:    Words(1, 1),
		RunE: a.Verb(func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			pages := append([]*cobra.Command{root}, root.Commands()...)
			for _, page := range pages {
				if page.Hidden || page.DisableFlagParsing { // another program knows its flags, and has its page
					continue
				}
				if err := os.WriteFile(filepath.Join(args[0], manName(root, page)+".1"), []byte(manPage(root, page)), 0o644); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func manName(root, cmd *cobra.Command) string {
	if cmd == root {
		return root.Name()
	}
	return Run + "-" + cmd.Name()
}

// manPage is the manual page of a verb, in the macros of man(7).
func manPage(root, cmd *cobra.Command) string {
	var b strings.Builder
	name := manName(root, cmd)
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"jtx %s\" \"jtx\"\n", strings.ToUpper(name), roff(readVersion().Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	b.WriteString(".SH DESCRIPTION\n")
	if cmd == root {
		b.WriteString(paragraphs(root.Long, root.Short))
		manVerbs(&b, root)
		fmt.Fprintf(&b, ".SH EXIT STATUS\n.nf\n%s.fi\n", roff(exitCodes()))
	} else {
		b.WriteString(paragraphs(cmd.Long, cmd.Short))
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLE\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	manFlags(&b, "OPTIONS", cmd.LocalNonPersistentFlags())
	manFlags(&b, "OPTIONS OF EVERY VERB", root.PersistentFlags())
	return b.String()
}

func manVerbs(b *strings.Builder, root *cobra.Command) {
	for _, g := range root.Groups() {
		fmt.Fprintf(b, ".SS %s\n", roff(g.Title))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID {
				fmt.Fprintf(b, ".TP\n.BR jtx\\-%s (1)\n%s\n", roff(cmd.Name()), roff(cmd.Short))
			}
		}
	}
}

func manFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n.nf\n%s.fi\n", title, roff(flagsOf(flags)))
}

func paragraphs(long, short string) string {
	if long == "" {
		long = short + "."
	}
	return strings.ReplaceAll(roff(long), "\n\n", "\n.PP\n") + "\n"
}

// roff escapes what the formatter gives a meaning to.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
