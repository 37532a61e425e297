package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newDo(a *app) *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:   "do [SRC]",
		Short: "several changes as one transaction",
		Long: `Reads changes, one JSON object on each line, and does all of them as one
transaction, in that order. Each names a "file" and one change:

  {"file": F, "patch": [...]}            an RFC 6902 patch
  {"file": F, "merge": {...}}            an RFC 7386 merge patch
  {"file": F, "set": {POINTER: VALUE}}   values, missing parents made as by set -p
  {"file": F, "delete": [POINTER]}       what stands there, each place as it is before
  {"file": F, "put": VALUE}              the whole document
  {"file": F, "text": STRING}            the whole document, as its text
  {"file": F, "value": VALUE}            the whole document: what is the same keeps its bytes

A file whose name is not UTF-8 is named by "file_bytes", in base64. SRC is inline
JSON where it begins with { or [ (an array of such objects), else a path, and -
is standard input, as is no SRC. Prints TXID FILE@REV ... .`,
		Example: cli.Example(`printf '%s\n' '{"file": "a.json", "set": {"/n": 70}}' \`, `              '{"file": "b.json", "set": {"/n": 130}}' | jtx do`),
		Args:    cli.Words(0, 1),
	}
	flags.register(cmd.Flags())
	flags.registerParents(cmd.Flags())
	flags.asLines = true
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		in, err := a.Source(args)
		if err != nil {
			return err
		}
		steps, err := change.Parse(in.Data)
		if err != nil {
			return &cli.About{What: in.Name, Err: err}
		}
		return a.change(&flags, change.Files(steps), func(tx *txn.Tx) error { return change.Do(tx, steps) })
	})
	return cmd
}
