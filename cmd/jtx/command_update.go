package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/jq"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newUpdate(a *app) *cobra.Command {
	u := &updateCommand{a: a}
	cmd := &cobra.Command{
		Use:   "update FILE JQ",
		Short: "change a file by a jq program",
		Long: `Runs the jq program JQ on the document, and changes what differs in its output:
the order of members, the layout and the spelling of numbers stay elsewhere. The
program must print one value; where it fails, or prints none or several, nothing
is changed. It runs while the file is locked, so that no update is lost.

The variables of --arg and its like, $ARGS and $ENV are as in jq. Prints TXID
FILE@REV.`,
		Example: cli.Example(`jtx update config.json '.server.port += 1'`,
			`jtx update config.json '.server.host = $h' --arg h example.org`,
			`jtx update config.json 'del(.server.port)' --dry-run`),
		Args:              cli.Words(2, 2),
		ValidArgsFunction: completeFiles,
	}
	u.flags.register(cmd.Flags())
	u.flags.registerStyle(cmd.Flags())
	u.flags.registerParents(cmd.Flags())
	cmd.Flags().StringVar(&u.fallback, "default", "", "begin with this `JSON` where there is no file")
	u.vars.register(a, cmd.Flags())
	cmd.Flags().BoolVar(&u.jqExit, "jq-exit", false, "exit as jq does: 2 where FILE or a variable can't be read, 3 where JQ is no program")
	cmd.RunE = a.Verb(u.run)
	return cmd
}

type updateCommand struct {
	a     *app
	flags changeFlags
	vars  jqFlags

	fallback string
	jqExit   bool
}

// What jq exits with, where jtx exits otherwise. What only jtx can meet, such as a lock
// that is held, keeps its own code.
const (
	jqUnread    = 2
	jqNoProgram = 3
)

// as gives an error jq's exit code, for a script that had jq here.
func (u *updateCommand) as(code int, err error) error {
	if u.jqExit && err != nil {
		return &cli.ExitAs{Err: err, Code: code}
	}
	return err
}

func (u *updateCommand) run(_ *cobra.Command, args []string) error {
	file, text := args[0], args[1]
	if u.fallback != "" {
		if _, err := cli.Value("the value of --default", u.fallback, false); err != nil {
			return err
		}
	}
	if u.vars.err != nil {
		return u.as(jqUnread, u.vars.err)
	}
	program, err := jq.Compile(text, u.vars.vars, os.Environ)
	if err != nil {
		return u.as(jqNoProgram, err)
	}
	return u.a.change(&u.flags, []string{file}, func(tx *txn.Tx) error {
		old, err := tx.Bytes(file)
		missing := errors.Is(err, txn.ErrNotFound) && u.fallback != ""
		if missing {
			old, err = []byte(u.fallback), nil
		}
		if errors.Is(err, txn.ErrNotFound) {
			return u.as(jqUnread, err)
		}
		if err != nil {
			return err
		}
		made, err := program.Revise(u.a.Ctx, file, old)
		if err != nil {
			return err
		}
		if missing {
			return tx.Encode(file, json.RawMessage(made.Text))
		}
		if err := tx.Revise(file, made); err != nil {
			return err
		}
		return u.noteOrder(tx, file, old, made.Text)
	})
}

// noteOrder says where a program does nothing but bring members into another order:
// that is no change of the value.
func (u *updateCommand) noteOrder(tx *txn.Tx, file string, old, made []byte) error {
	now, err := tx.Bytes(file)
	if err != nil || !bytes.Equal(old, now) || bytes.Equal(jsonpatch.Compact(old), jsonpatch.Compact(made)) {
		return err
	}
	u.a.Note("the program changes the order or the spelling alone, and that is left as it is: jtx fmt --sort-keys orders, jtx pipe replaces all")
	return nil
}
