package main

import (
	"bytes"
	"errors"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

func newShow(a *app) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:   "show TX",
		Short: "what a transaction changed",
		Long: `Shows the transaction TX: its id, time, actor, files and message, or what happened where
there is none, on a line, and for each file a line with its patch. FILE@REV is the transaction that made it. The exit code is 1 where no tracked file in
or below the current directory has such a transaction.`,
		Example: cli.Example(`TX=$(jtx set config.json /server/port 81 | cut -d ' ' -f 1)`, `jtx show $TX`),
		Args:    cli.Words(1, 1),
	}
	lock.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		s, err := a.openStore(&lock)
		if err != nil {
			return err
		}
		id, err := a.transactionOf(s, args[0])
		if err != nil {
			return err
		}
		e, err := history.Show(a.Ctx, s, id)
		if err != nil {
			return err
		}
		return a.printEntry(s, e)
	})
	return cmd
}

func (a *app) printEntry(s *txn.Store, e history.Entry) error {
	p := a.people(s)
	p.olds = true
	var b bytes.Buffer
	switch {
	case a.JSON:
		b.Write(cli.EncodeJSON(cli.NewEntryJSON(e, true)))
	case p.Terminal:
		p.whole(&b, e)
	default:
		p.plainEntry(&b, e, true)
	}
	_, err := b.WriteTo(p)
	return errors.Join(err, p.Close())
}

// transactionOf reads a transaction's id, or finds the transaction that made a
// version of a file.
func (a *app) transactionOf(s *txn.Store, word string) (wal.ID, error) {
	if whole, err := a.recordedID(s, word); err != nil {
		return wal.ID{}, err
	} else if id, err := wal.ParseID(whole); err == nil {
		return id, nil
	}
	v, err := a.versionOf(word, "")
	if err != nil {
		return wal.ID{}, err
	}
	if v.text == "" {
		return wal.ID{}, cli.Usagef("%s is no transaction's id", cli.QuoteWord(word)).WithHint("an id has 26 letters and digits, jtx log lists them; FILE@REV names the transaction that made a version")
	}
	made, err := history.ReadVersion(a.Ctx, s, v.file, v.point)
	return made.Tx, err
}
