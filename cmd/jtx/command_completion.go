package main

import (
	"bytes"

	"github.com/spf13/cobra"
)

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "print a script that completes words in a shell",
		Example:   example(`jtx completion bash > jtx.bash`),
		Args:      words(1, 1),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			var b bytes.Buffer
			var err error
			switch root := cmd.Root(); args[0] {
			case "bash":
				err = root.GenBashCompletionV2(&b, true)
			case "zsh":
				err = root.GenZshCompletion(&b)
			case "fish":
				err = root.GenFishCompletion(&b, true)
			default:
				return usagef("no completion for %s", quoteWord(args[0])).withHint("usage: %s", cmd.UseLine())
			}
			if err != nil {
				return err
			}
			return a.write(b.Bytes())
		}),
	}
}
