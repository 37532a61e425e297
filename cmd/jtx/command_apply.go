package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal"
)

func newApply(a *app) *cobra.Command {
	ap := &applyCommand{a: a}
	cmd := &cobra.Command{
		Use:   "apply [TX] FILE [SRC]",
		Short: "stage a patch in an open transaction",
		Long: `Stages the RFC 6902 patch SRC (with --merge: an RFC 7386 merge patch) for FILE in
the open transaction TX. It is tried against what the transaction sees, and
refused where it fails. Nothing is changed before the commit. TX may be left out
where $JTX_TX is set.

SRC is inline JSON where it begins with { or [, else a path, and - is standard
input, as is no SRC.`,
		Example: cli.Example(`tx=$(jtx begin)`, `jtx apply $tx a.json '[{"op": "replace", "path": "/n", "value": 1}]'`,
			`JTX_TX=$tx jtx apply b.json --merge '{"n": 2}'`, `jtx commit $tx`),
		Args:              cli.Words(1, 3),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	ap.flags.register(fs)
	ap.src.Register(fs)
	fs.BoolVar(&ap.merge, "merge", false, "SRC is an RFC 7386 merge patch")
	cmd.RunE = a.Verb(ap.run)
	return cmd
}

type applyCommand struct {
	a     *app
	flags readFlags
	src   cli.SourceFlags
	merge bool
}

func (ap *applyCommand) run(cmd *cobra.Command, args []string) error {
	id, rest := ap.split(args)
	if _, err := os.Lstat(id); err == nil && ap.flags.id() == "" {
		return cli.Usagef("%s is a file, and no transaction is named", cli.QuoteWord(id)).WithHint("usage: %s; jtx begin prints a TX, and $JTX_TX names one too", cmd.UseLine())
	}
	if len(rest) == 0 {
		return cli.Missing(cmd)
	}
	file := rest[0]
	if err := cli.CheckFile(file); err != nil {
		return err
	}
	if err := checkChangeable([]string{file}); err != nil {
		return err
	}
	in, err := ap.src.Read(ap.a.App, rest[1:])
	if err != nil {
		return err
	}
	check, do := checkPatch, (*txn.Tx).Patch
	if ap.merge {
		check, do = checkMerge, (*txn.Tx).Merge
	}
	if err := check(in.Data); err != nil {
		return cli.InvalidIn(in.Name, err)
	}
	opt, err := ap.flags.lockFlags.options()
	if err != nil {
		return err
	}
	s, err := ap.a.Store(opt)
	if err != nil {
		return err
	}
	return ap.a.stage(s, id, &changeFlags{}, []string{file}, func(tx *txn.Tx) error { return do(tx, file, in.Data) })
}

// split finds TX among the words. Where --tx or $JTX_TX names one already, the
// first word is one too only if there are three, or it can be nothing else.
func (ap *applyCommand) split(args []string) (id string, rest []string) {
	id = ap.flags.id()
	if id == "" || len(args) == 3 || len(args) == 2 && isTxID(args[0]) {
		return args[0], args[1:]
	}
	return id, args
}

// isTxID tells whether a word is a transaction's whole id, and no file's name.
func isTxID(word string) bool {
	_, err := wal.ParseID(word)
	if err != nil {
		return false
	}
	_, err = os.Lstat(word)
	return err != nil
}
