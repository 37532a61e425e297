package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newInit(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "keep the history of a whole tree in one place",
		Long: `Makes DIR (default: the current directory) a workspace that covers everything
below it. Nothing needs it: without one, each directory in which a file is
changed keeps the history of its own files.`,
		Example: cli.Example(`jtx init`),
		Args:    cli.Words(0, 1),
	}
	var lock lockFlags
	lock.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		opt, err := lock.options()
		if err != nil {
			return err
		}
		s, err := a.Store(opt)
		if err != nil {
			return err
		}
		return a.init(s, append(args, ".")[0])
	})
	return cmd
}

func (a *app) init(s *txn.Store, dir string) error {
	root, created, err := s.Init(a.Ctx, dir)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.WriteJSON(struct {
			Root    string `json:"root"`
			Created bool   `json:"created"`
		}{cli.ReadableName(root), created})
	}
	if created {
		a.Note("%s is a workspace now", cli.QuoteWord(root))
	} else {
		a.Note("%s was a workspace before; nothing was changed", cli.QuoteWord(root))
	}
	return nil
}
