package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/shellenv"
)

func newShellenv(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "sh", "dash"}
	return &cobra.Command{
		Use:   "shellenv [bash|zsh|sh]",
		Short: "print functions for shell scripts",
		Long: `Prints the functions safe_json_read, safe_json_write, safe_json_merge,
safe_json_update, safe_jq and their like, for scripts that have used functions of
these names. One text serves bash, zsh and POSIX sh. Without jtx in PATH they
fail: there is no fall-back to unsafe writes.`,
		Example:   cli.Example(`eval "$(jtx shellenv)"`, `safe_json_merge shared.json '{"worker_1": "done"}'`, `safe_json_read shared.json '{}'`),
		Args:      cli.Words(0, 1),
		ValidArgs: shells,
		RunE: a.Verb(func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !slices.Contains(shells, args[0]) {
				return cli.Usagef("no functions for %s", cli.QuoteWord(args[0])).WithHint("usage: %s", cmd.UseLine())
			}
			if a.JSON {
				return a.WriteJSON(cli.ScriptJSON{Shell: append(args, "sh")[0], Script: shellenv.Functions})
			}
			return a.Write([]byte(shellenv.Functions))
		}),
	}
}
