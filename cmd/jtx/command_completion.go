package main

import (
	"bytes"

	"github.com/spf13/cobra"
)

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "print a script that completes words in a shell",
		Long: `Prints a script that completes verbs, flags, files and their versions, pointers into
the file at hand, and transactions. It is loaded by the shell's start-up file:

  ~/.bashrc                    eval "$(jtx completion bash)"
  ~/.zshrc, behind compinit    eval "$(jtx completion zsh)"
  ~/.config/fish/config.fish   jtx completion fish | source

make install and the packages put it where shells find it by themselves.`,
		Example:   example(`jtx completion bash > jtx.bash`),
		Args:      words(1, 1),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			script, err := completionScript(cmd, args[0])
			if err != nil {
				return err
			}
			return a.write(script)
		}),
	}
}

func completionScript(cmd *cobra.Command, shell string) ([]byte, error) {
	var b bytes.Buffer
	var mends []mend
	var err error
	switch root := cmd.Root(); shell {
	case "bash":
		mends, err = bashMends, root.GenBashCompletionV2(&b, true)
	case "zsh":
		mends, err = zshMends, root.GenZshCompletion(&b)
	case "fish":
		mends, err = fishMends, root.GenFishCompletion(&b, true)
	default:
		return nil, usagef("no completion for %s", quoteWord(shell)).withHint("usage: %s", cmd.UseLine())
	}
	if err != nil {
		return nil, err
	}
	return mended(b.String(), mends)
}
