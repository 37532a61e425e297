package main

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/history"
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
			return a.printBlames(history.BlameAll(a.Ctx, s, args[0]))
		}
		ptr, err := a.placeIn(args[0], args[1])
		if err != nil {
			return err
		}
		b, err := history.Blame(a.Ctx, s, args[0], ptr)
		if err != nil {
			return err
		}
		return a.printBlames(func(yield func(history.Blamed, error) bool) { yield(b, nil) })
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

func (a *app) printBlames(list iter.Seq2[history.Blamed, error]) error {
	p := a.OpenPage()
	err := a.writeBlames(p, list)
	return errors.Join(err, p.Close())
}

func (a *app) writeBlames(p *cli.Page, list iter.Seq2[history.Blamed, error]) error {
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
		case p.Terminal:
			b.WriteString(blameLine(p, e, actor))
		default:
			fmt.Fprintf(&b, "%s\t%d\t%s\t%s\t%s\t%s\n", p.Paint(cli.Bold, cli.Printable(e.Pointer)), e.Rev, p.Paint(cli.Yellow, e.ID.String()), cli.TimeText(e.Time), cli.Printable(actor), cli.Printable(e.Message))
		}
		if _, err := b.WriteTo(p); err != nil {
			return err
		}
	}
	return nil
}

// blameLine is a value and who set it, in a line that fits.
func blameLine(p *cli.Page, e history.Blamed, actor string) string {
	id, rev, when := e.ID.String()[:cli.ShownID], fmt.Sprintf("%4d", e.Rev), ago(time.Since(e.Time))
	actor, place, message := cli.Printable(actor), cli.Printable(e.Pointer), cli.Printable(e.Message)
	if place == "" {
		place = "(the whole document)"
	}
	if p.Width < narrow {
		return stacked(p, p.Paint(cli.Bold, cli.CutFront(place, p.Width)), fmt.Sprintf("%s @%d", id, e.Rev), fmt.Sprintf("%s  %s", when, actor), message) + "\n"
	}
	const gaps = 1 + 2 + 2 + 2 + 2
	widths := cli.Share(p.Width-len(id)-len(rev)-gaps, max(14, cli.Columns(when)), max(8, cli.Columns(actor)), cli.Columns(place), cli.Columns(message))
	line := fmt.Sprintf("%s %s  %s  %s  %s  %s", p.Paint(cli.Yellow, id), rev, padded(cli.CutEnd(when, widths[0]), widths[0]),
		padded(cli.CutEnd(actor, widths[1]), widths[1]), p.Paint(cli.Bold, cli.CutFront(place, widths[2])), cli.CutEnd(message, widths[3]))
	return strings.TrimRight(line, " ") + "\n"
}
