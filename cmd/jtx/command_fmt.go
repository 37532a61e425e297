package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newFmt(a *app) *cobra.Command {
	var flags changeFlags
	var indent string
	var sorted bool
	cmd := &cobra.Command{
		Use:   "fmt FILE",
		Short: "lay a file out anew",
		Long: `Lays the document out anew, as a recorded change: members and elements on lines of
their own, short arrays of scalars on one. Values, the spelling of numbers and strings,
and comments stay. Prints TXID FILE@REV.

--indent is a number of spaces, tab, or compact for one line; without it the file's own
indent stays. --sort-keys brings all members into the order of their names.`,
		Example:           cli.Example(`jtx fmt config.json`, `jtx fmt config.json --indent tab --sort-keys`, `jtx fmt config.json --indent compact --dry-run`),
		Args:              cli.Words(1, 1),
		ValidArgsFunction: completeFiles,
	}
	flags.register(cmd.Flags())
	cmd.Flags().StringVar(&indent, "indent", "", "`N` spaces, tab or compact")
	cmd.Flags().BoolVar(&sorted, "sort-keys", false, "members in the order of their names")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		style, err := styleOf(indent)
		if err != nil {
			return err
		}
		f := jsonpatch.Format{Indent: style.Indent, Compact: style.Compact, SortKeys: sorted}
		return a.change(&flags, []string{args[0]}, func(tx *txn.Tx) error { return tx.Format(args[0], f) })
	})
	return cmd
}

// styleOf reads the value of --indent.
func styleOf(indent string) (jsonpatch.Style, error) {
	if indent == "" {
		return jsonpatch.Style{}, nil
	}
	style, err := txn.ParseIndent(indent)
	if err != nil {
		return style, cli.Usagef("--indent %s: want a number of spaces from 1 to 16, tab or compact", cli.QuoteWord(indent))
	}
	return style, nil
}
