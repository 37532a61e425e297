package main

import (
	"bytes"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newBlame(a *app) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:   "blame FILE [PTR]",
		Short: "which transaction last set each value",
		Long: `Says which transaction last set the value at PTR, or something in it; without PTR
each value of the file that is no container. A line is the pointer, revision, id,
time, actor and message, separated by tabs. Values are followed through moves,
copies and shifts in their array.`,
		Example:           cli.Example(`jtx set config.json /server/port 81 -m 'new port'`, `jtx blame config.json /server/port`, `jtx blame config.json`),
		Args:              cli.Words(1, 2),
		ValidArgsFunction: completeFiles,
	}
	lock.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		if err := cli.CheckFile(args[0]); err != nil {
			return err
		}
		s, err := a.openStore(&lock)
		if err != nil {
			return err
		}
		if len(args) == 1 {
			return a.printBlames(s.BlameAll(a.Ctx, args[0]))
		}
		ptr, err := a.placeIn(args[0], args[1])
		if err != nil {
			return err
		}
		b, err := s.Blame(a.Ctx, args[0], ptr)
		if err != nil {
			return err
		}
		return a.printBlames(func(yield func(txn.Blame, error) bool) { yield(b, nil) })
	})
	return cmd
}

// blameJSON is a value and who set it.
type blameJSON struct {
	Pointer string `json:"pointer"`
	Rev     uint64 `json:"rev"`
	TX      string `json:"tx"`
	Time    string `json:"time"`
	Actor   string `json:"actor,omitempty"`
	Message string `json:"message,omitempty"`
	Foreign bool   `json:"foreign,omitempty"`
	Before  bool   `json:"or_before,omitempty"`
}

func (a *app) printBlames(list iter.Seq2[txn.Blame, error]) error {
	p := a.openPage()
	defer p.close()
	var b bytes.Buffer
	for e, err := range list {
		if err != nil {
			return err
		}
		actor := e.Actor
		if actor == "" {
			actor = "-"
		}
		switch {
		case a.JSON:
			b.Write(cli.EncodeJSON(blameJSON{e.Pointer, e.Rev, e.ID.String(), e.Time.UTC().Format(time.RFC3339Nano), e.Actor, e.Message, e.Foreign, e.Before}))
		case p.terminal:
			fmt.Fprintf(&b, "%s %6d  %-14s %-10s %s  %s\n", p.paint(yellow, e.ID.String()), e.Rev, ago(time.Since(e.Time)), cli.Printable(actor), p.paint(cli.Bold, cli.Printable(e.Pointer)), cli.Printable(e.Message))
		default:
			fmt.Fprintf(&b, "%s\t%d\t%s\t%s\t%s\t%s\n", cli.Printable(e.Pointer), e.Rev, e.ID, cli.TimeText(e.Time), cli.Printable(actor), cli.Printable(e.Message))
		}
		if err := p.write(&b); err != nil {
			return err
		}
	}
	return nil
}
