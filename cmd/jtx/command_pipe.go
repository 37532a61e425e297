package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newPipe(a *app) *cobra.Command {
	p := &pipeCommand{a: a}
	cmd := &cobra.Command{
		Use:   "pipe FILE -- CMD ...",
		Short: "change a file by a command",
		Long: `Gives the document to CMD's standard input, and makes CMD's standard output the
new document, its bytes kept as given. CMD runs while the file is locked, so that
no update is lost; it may run again where another program edited the file. A file
that is not there is empty input, and is made.

Where CMD fails, or prints something else than one JSON document, nothing is
changed. CMD's exit code passes through; only a failure of jtx's own prints an
"error:" line.

With -n CMD reads jtx's own standard input, and the file is locked when CMD is
done: for a command that makes a new document.`,
		Example: cli.Example(`jtx pipe config.json -- sed 's/8080/9090/'`,
			`echo '{"a": 1}' | jtx pipe -n new.json -- cat`),
		ValidArgsFunction: completeFiles,
	}
	p.flags.register(cmd.Flags())
	p.flags.registerParents(cmd.Flags())
	registerIfMissing(cmd.Flags(), &p.ifMissing)
	cmd.Flags().BoolVar(&p.keepLayout, "keep-layout", false, "change only what differs in value")
	cmd.Flags().BoolVarP(&p.null, "own-input", "n", false, "CMD reads jtx's standard input, not the document")
	cmd.RunE = a.Verb(p.run)
	return cmd
}

type pipeCommand struct {
	a     *app
	flags changeFlags
	null  bool

	ifMissing, keepLayout bool
}

func (p *pipeCommand) run(cmd *cobra.Command, args []string) error {
	file, command, ok := splitCommand(cmd.ArgsLenAtDash(), args)
	if !ok {
		return cli.Usagef("%s: want one FILE, and CMD behind --", cmd.CommandPath()).WithHint("usage: %s", cmd.UseLine())
	}
	if err := cli.CheckFile(file); err != nil {
		return err
	}
	if !p.null {
		return p.a.change(&p.flags, []string{file}, unlessThere(p.ifMissing, file, func(tx *txn.Tx) error {
			return p.through(tx, file, command)
		}))
	}
	data, err := p.output(p.a.Stdin, command)
	if err != nil {
		return err
	}
	return p.a.change(&p.flags, []string{file}, unlessThere(p.ifMissing, file, func(tx *txn.Tx) error { return aboutSource(whatPrinted(command), p.put(tx, file, data)) }))
}

// splitCommand takes the words apart: FILE -- CMD, or -- FILE -- CMD, where FILE
// may begin with a dash.
func splitCommand(dash int, args []string) (file string, command []string, ok bool) {
	switch {
	case dash == 1 && len(args) > 1:
		return args[0], args[1:], true
	case dash == 0 && len(args) > 2 && args[1] == "--":
		return args[0], args[2:], true
	}
	return "", nil, false
}

// through makes what the command prints the document.
func (p *pipeCommand) through(tx *txn.Tx, file string, command []string) error {
	old, err := tx.Bytes(file)
	if err != nil && !errors.Is(err, txn.ErrNotFound) {
		return err
	}
	data, err := p.output(bytes.NewReader(old), command)
	if err != nil {
		return err
	}
	return aboutSource(whatPrinted(command), p.put(tx, file, data))
}

func whatPrinted(command []string) string { return "what " + cli.QuoteWord(command[0]) + " printed" }

func (p *pipeCommand) put(tx *txn.Tx, file string, data []byte) error {
	if p.keepLayout {
		return tx.Encode(file, json.RawMessage(bytes.TrimSpace(data)))
	}
	return tx.Put(file, data)
}

// output runs the command and gives what it prints, which must be a document.
func (p *pipeCommand) output(stdin io.Reader, command []string) ([]byte, error) {
	var out bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr = stdin, &out, os.Stderr
	err := p.a.RunChild(c)
	if err != nil && !errors.Is(err, syscall.EPIPE) { // it need not read its input
		return nil, err
	}
	if len(bytes.TrimSpace(out.Bytes())) == 0 {
		return nil, cli.Invalidf("%s printed nothing, and that is no JSON document; nothing was changed", cli.QuoteWord(command[0]))
	}
	if _, err := jsonpatch.Parse(out.Bytes(), jsonpatch.Limits{}); err != nil {
		return nil, cli.InvalidIn(whatPrinted(command), err)
	}
	return out.Bytes(), nil
}
