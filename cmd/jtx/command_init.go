package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newInit(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "keep the history of a whole tree in one place",
		Long: `Makes DIR (default: the current directory) a workspace that covers everything
below it. Nothing needs it: without one, each directory in which a file is
changed keeps the history of its own files. -p makes DIR where it is missing.

--remove ends the workspace whose root is DIR: the history of all its files is
removed, and can't be brought back. The files stay as they are.`,
		Example: cli.Example(`jtx init`, `jtx init -p state/app`, `jtx init --remove`),
		Args:    cli.Words(0, 1),
	}
	var lock lockFlags
	lock.register(cmd.Flags())
	var remove, parents bool
	cmd.Flags().BoolVar(&remove, "remove", false, "end the workspace, keep the files")
	cmd.Flags().BoolVarP(&parents, "parents", "p", false, "make DIR where it is missing")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		opt, err := lock.options()
		if err != nil {
			return err
		}
		s, err := a.Store(opt)
		if err != nil {
			return err
		}
		dir := append(args, ".")[0]
		if remove {
			return a.removeWorkspace(s, dir)
		}
		if parents {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return err
			}
		}
		return a.init(s, dir)
	})
	return cmd
}

type initJSON struct {
	Root    string `json:"root"`
	Created bool   `json:"created"`
}

type uninitJSON struct {
	Root    string `json:"root"`
	Removed int    `json:"removed"`
}

func (a *app) removeWorkspace(s *txn.Store, dir string) error {
	n, err := admin.RemoveWorkspace(a.Ctx, s, dir)
	if errors.Is(err, txn.ErrConflict) {
		return &cli.Hinted{Err: err, Hint: "jtx tx lists the open transactions, jtx commit TX or jtx abort TX ends one"}
	}
	if err != nil {
		return err
	}
	if a.JSON {
		return a.WriteJSON(uninitJSON{cli.ReadableName(dir), n})
	}
	a.Note("%s is no workspace any more: the history of %s is gone; the files stay", cli.QuoteWord(dir), cli.Plural(n, "file"))
	return nil
}

func (a *app) init(s *txn.Store, dir string) error {
	root, created, err := s.Init(a.Ctx, dir)
	if _, missing := os.Stat(dir); errors.Is(missing, fs.ErrNotExist) && err != nil {
		return (&cli.Error{Exit: cli.ExitNo, Msg: cli.QuoteWord(dir) + ": no such directory"}).WithHint("-p makes it")
	}
	if err != nil {
		return err
	}
	if a.JSON {
		return a.WriteJSON(initJSON{cli.ReadableName(root), created})
	}
	if created {
		a.Note("%s is a workspace now", cli.QuoteWord(root))
	} else {
		a.Note("%s was a workspace before; nothing was changed", cli.QuoteWord(root))
	}
	return nil
}
