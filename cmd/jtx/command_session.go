package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/session"
)

func newSession(a *app) *cobra.Command {
	var lock lockFlags
	var maxLine int
	cmd := &cobra.Command{
		Use:   "session",
		Short: "many operations by one process, as NDJSON",
		Long: `Reads requests, a JSON object on each line of standard input, and prints an answer
for each, as soon as it has one. So a program starts jtx once, instead of once for
each operation. The first line that it prints names the protocol.

  {"id": 1, "do": "read", "files": ["a.json"], "pointer": "/n"}
  {"id": 2, "do": "change", "changes": [{"file": "a.json", "set": {"/n": 1}}]}
  {"id": 3, "do": "begin", "files": ["a.json", "b.json"]}
  {"id": 4, "do": "watch"}

cmd/clients/SESSION.md describes all requests. It ends when its standard
input does; open transactions are forgotten then.`,
		Example: cli.Example(`change='[{"file": "a.json", "set": {"/n": 1}}]'`, `echo '{"id": 1, "do": "change", "changes": '"$change"'}' | jtx session`),
		Args:    cli.Words(0, 0),
	}
	lock.register(cmd.Flags())
	cmd.Flags().IntVar(&maxLine, "max-line", session.DefaultMaxLine, "the length of a request, in `BYTES`")
	cmd.RunE = a.Verb(func(*cobra.Command, []string) error {
		if maxLine < 1024 {
			return cli.Usagef("--max-line %d: want at least 1024", maxLine)
		}
		s, err := a.openStore(&lock)
		if err != nil {
			return err
		}
		err = session.Serve(a.Ctx, session.Config{Store: s, Version: cli.Version(), MaxLine: maxLine}, a.Stdin, a.Stdout)
		return errors.Join(err, s.Close())
	})
	return cmd
}
