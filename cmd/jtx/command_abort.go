package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newAbort(a *app) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:     "abort [TX]",
		Short:   "forget an open transaction",
		Long:    "Forgets the open transaction TX (default $JTX_TX) and ends its leases. No file is changed. One\nthat is damaged is forgotten too.",
		Example: cli.Example(`tx=$(jtx begin a.json)`, `jtx set --tx $tx a.json /n 1`, `jtx abort $tx`),
		Args:    cli.Words(0, 1),
	}
	lock.register(cmd.Flags())
	cmd.RunE = a.Verb(func(cmd *cobra.Command, args []string) error {
		_, t, err := a.resume(cmd, lock, args)
		if err != nil && (t == nil || !errors.Is(err, txn.ErrDamaged)) {
			return err
		}
		if err := t.Abort(a.Ctx); err != nil {
			return err
		}
		if a.JSON {
			return a.WriteJSON(abortedJSON{t.ID(), true})
		}
		return nil
	})
	return cmd
}

type abortedJSON struct {
	TX      string `json:"tx"`
	Aborted bool   `json:"aborted"`
}
