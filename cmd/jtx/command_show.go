package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal"
)

func newShow(a *app) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:   "show TX",
		Short: "what a transaction changed",
		Long: `Shows the transaction TX: its id, time, actor, files and message on a line, and
for each file a line with its patch. The exit code is 1 where no tracked file in
or below the current directory has such a transaction.`,
		Example: example(`TX=$(jtx set config.json /server/port 81 | cut -d ' ' -f 1)`, `jtx show $TX`),
		Args:    words(1, 1),
	}
	lock.register(cmd.Flags())
	cmd.RunE = a.verb(func(_ *cobra.Command, args []string) error {
		id, err := parseTx(args[0])
		if err != nil {
			return err
		}
		s, err := a.openStore(&lock)
		if err != nil {
			return err
		}
		e, err := s.Show(a.ctx, id)
		if err != nil {
			return err
		}
		return a.printEntry(e)
	})
	return cmd
}

func (a *app) printEntry(e txn.Entry) error {
	p := a.openPage()
	defer p.close()
	var b bytes.Buffer
	switch {
	case a.json:
		b.Write(encodeJSON(newEntryJSON(e, true)))
	case p.terminal:
		p.prettyEntry(&b, e, true)
	default:
		plainEntry(&b, e, true)
	}
	return p.write(&b)
}

// parseTx reads a transaction's id.
func parseTx(word string) (wal.ID, error) {
	id, err := wal.ParseID(word)
	if err != nil {
		return id, usagef("%s is no transaction's id", quoteWord(word)).withHint("an id has 26 letters and digits; jtx log lists them")
	}
	return id, nil
}
