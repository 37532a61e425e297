package cli

import (
	"bytes"

	"github.com/spf13/cobra"
)

func newCompletion(a *App) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "print a script that completes words in a shell",
		Long: `Prints a script that completes verbs, flags, files and their versions, pointers into
the file at hand, and transactions. It is loaded by the shell's start-up file:

  ~/.bashrc                    eval "$(jtx completion bash)"
  ~/.zshrc, behind compinit    eval "$(jtx completion zsh)"
  ~/.config/fish/config.fish   jtx completion fish | source

make install and the packages put it where shells find it by themselves.`,
		Example:   Example(`jtx completion bash > jtx.bash`),
		Args:      Words(1, 1),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: a.Verb(func(cmd *cobra.Command, args []string) error {
			script, err := completionScript(cmd, args[0])
			if err != nil {
				return err
			}
			if a.JSON {
				return a.WriteJSON(ScriptJSON{args[0], string(script)})
			}
			return a.Write(script)
		}),
	}
}

// ScriptJSON is a script for a shell.
type ScriptJSON struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
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
		return nil, Usagef("no completion for %s", QuoteWord(shell)).WithHint("usage: %s", cmd.UseLine())
	}
	if err != nil {
		return nil, err
	}
	return mended(cmd.Root().Name(), b.String(), mends)
}
