// Command jtx-plus has the verbs of jtx with a screen, a socket or a language. They are
// run as jtx VERB.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/plus"
)

func main() { os.Exit(program.Run(os.Args[1:])) }

var program = cli.Program{
	Name:   plus.Name,
	Short:  "More verbs of jtx: with a screen, a socket or a language",
	Intro:  "jtx-plus has the verbs of jtx with a screen, a socket or a language. Run them as jtx VERB; jtx help shows all others.",
	Groups: []*cobra.Group{plus.Group()},
	Verbs:  []cli.Verb{verb("mcp", newMCP), verb("rewrite", newRewrite)},
	Before: func(*cli.Program, *cli.App, []string) (bool, error) {
		err := checkCaller()
		return err != nil, err
	},
	Bare: func(_ *cli.App, root *cobra.Command) error { return root.Help() },
}

// verb is one of package plus's, with what make adds to its command.
func verb(name string, make func(*cli.App, *cobra.Command)) cli.Verb {
	return cli.Verb{Group: plus.Name, Name: name, Make: func(a *cli.App) *cobra.Command {
		v, _ := plus.Find(name)
		cmd := v.Command()
		make(a, cmd)
		return cmd
	}}
}

// checkCaller refuses to work for a jtx of another version, whose journals and flags
// may be other ones. What jtx-plus runs in turn isn't told of that jtx.
func checkCaller() error {
	caller := os.Getenv(plus.CallerVersion)
	if err := os.Unsetenv(plus.CallerVersion); err != nil {
		return err
	}
	own := cli.Version()
	if caller == "" || caller == own {
		return nil
	}
	file, err := os.Executable()
	if err != nil {
		return err
	}
	return cli.Usagef("%s is version %s, and jtx is version %s", cli.QuoteWord(file), own, caller).
		WithHint("install both from one version")
}
