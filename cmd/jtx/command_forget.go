package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/admin"
)

func newForget(a *app) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:   "forget FILE ...",
		Short: "end a file's history; the file stays",
		Long: `Stops tracking each FILE: its whole history is removed, and can't be brought back.
The file itself stays as it is. Where it is changed through jtx again, a new history
begins. A protected file is forgotten for good only when no pattern of jtx protect
names it any more, or one of the setting "ignore" does.

jtx init --remove ends a whole workspace.`,
		Example:           cli.Example(`jtx set config.json /server/port 81`, `jtx forget config.json`),
		Args:              cli.Words(1, -1),
		ValidArgsFunction: completeFiles,
	}
	lock.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, files []string) error {
		if err := cli.CheckFiles(files); err != nil {
			return err
		}
		s, err := a.openStore(&lock)
		if err != nil {
			return err
		}
		forgotten := []*cli.JSONFile{}
		var errs []error
		for _, f := range files {
			if err := admin.Forget(a.Ctx, s, f); err != nil {
				errs = append(errs, err)
				continue
			}
			forgotten = append(forgotten, cli.NewJSONFile(f))
			a.Note("%s: its history is gone; the file stays", cli.QuoteWord(f))
		}
		if a.JSON {
			errs = append(errs, a.WriteJSON(map[string]any{"forgotten": forgotten}))
		}
		return cli.Several(errs...)
	})
	return cmd
}
