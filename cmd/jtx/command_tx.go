package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newTx(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "tx [PATH ...]",
		Short: "list the open transactions",
		Long: `Lists the open transactions of the workspaces at, above and below PATH (default:
the current directory), oldest first: id, age, owner, files. One that is damaged
has that in the place of its owner, and the exit code is 6.`,
		Example: cli.Example(`jtx begin a.JSON`, `jtx tx`),
		RunE: a.Verb(func(_ *cobra.Command, args []string) error {
			s, err := a.Store(txn.Options{})
			if err != nil {
				return err
			}
			open, err := s.OpenTxs(a.Ctx, args)
			if err != nil {
				return err
			}
			a.tellAhead(open)
			if a.JSON {
				return cli.Several(append(damagedTxs(open), a.WriteJSON(map[string][]txJSON{"transactions": newTxsJSON(open)}))...)
			}
			t := &cli.Table{Header: []string{"TX", "AGE", "OWNER", "FILES"}}
			for _, info := range open {
				t.Add(info.ID, age(info), ownerOf(info), filesOf(info))
			}
			if len(open) == 0 {
				a.Note("no open transactions")
				return nil
			}
			return cli.Several(append(damagedTxs(open), a.Table(t))...)
		}),
	}
}

// age is how long a transaction is open, - where a clock that was ahead has dated it.
func age(t txn.OpenTxInfo) string {
	if t.Ahead {
		return "-"
	}
	return time.Since(t.Created).Round(time.Second).String()
}

// tellAhead says of which transactions the age is not known.
func (a *app) tellAhead(open []txn.OpenTxInfo) {
	for _, t := range open {
		if t.Ahead {
			a.Tell(fmt.Sprintf("transaction %s is dated %s, which is still to come: a clock was ahead; jtx recover counts its age from then on", t.ID, cli.TimeText(t.Created)))
		}
	}
}

// damagedTxs are the errors of those that can't be read.
func damagedTxs(open []txn.OpenTxInfo) []error {
	var errs []error
	for _, t := range open {
		errs = append(errs, t.Err)
	}
	return errs
}

// ownerOf is a transaction's owner and how that is, - where it has none.
func ownerOf(t txn.OpenTxInfo) string {
	switch {
	case t.Err != nil:
		return "damaged"
	case t.Owner == "":
		return "-"
	}
	return t.Owner + " " + t.OwnerState
}

func filesOf(t txn.OpenTxInfo) string {
	var words []string
	for _, f := range t.Files {
		words = append(words, cli.QuoteWord(fmt.Sprintf("%s@%d", cli.Shown(f.File), f.Rev)))
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, " ")
}

// txJSON is an open transaction.
type txJSON struct {
	TX         string       `json:"tx"`
	Created    string       `json:"created"`
	Actor      string       `json:"actor,omitempty"`
	Message    string       `json:"message,omitempty"`
	Expires    string       `json:"expires,omitempty"`
	Owner      string       `json:"owner,omitempty"`
	OwnerState string       `json:"owner_state,omitempty"`
	Files      []txFileJSON `json:"files"`
	Error      string       `json:"error,omitempty"`
}

type txFileJSON struct {
	*cli.JSONFile
	Rev        uint64 `json:"rev"`
	Read       bool   `json:"read"`
	Operations int    `json:"operations"`
}

func newTxJSON(t txn.OpenTxInfo) txJSON {
	j := txJSON{TX: t.ID, Created: cli.TimeText(t.Created), Actor: t.Actor, Message: t.Message, Owner: t.Owner, OwnerState: t.OwnerState, Files: []txFileJSON{}}
	if !t.Expires.IsZero() {
		j.Expires = cli.TimeText(t.Expires)
	}
	if t.Err != nil {
		j.Error = cli.MessageOf(t.Err)
	}
	for _, f := range t.Files {
		j.Files = append(j.Files, txFileJSON{cli.NewJSONFile(cli.Shown(f.File)), f.Rev, f.Read, f.Ops})
	}
	return j
}

func newTxsJSON(list []txn.OpenTxInfo) []txJSON {
	all := []txJSON{}
	for _, t := range list {
		all = append(all, newTxJSON(t))
	}
	return all
}
