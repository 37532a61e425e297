package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newEdit(a *app) *cobra.Command {
	e := &editCommand{a: a}
	cmd := &cobra.Command{
		Use:   "edit FILE",
		Short: "change a file in an editor",
		Long: `Opens a copy of the document in $VISUAL, or $EDITOR, or vi, and makes what comes
back the new document. No lock is held meanwhile. Text that is not JSON comes back
for another try, with the error; an empty text gives up. Where the file was changed
by somebody else meanwhile, both changes are shown, nothing is changed, and your
text is kept. A file that is not there is made.`,
		Example:           cli.Example(`EDITOR='sed -i s/8080/9090/' jtx edit config.json`),
		Args:              cli.Words(1, 1),
		ValidArgsFunction: completeFiles,
	}
	e.flags.register(cmd.Flags())
	e.flags.registerParents(cmd.Flags())
	cmd.RunE = a.Verb(e.run)
	return cmd
}

type editCommand struct {
	a     *app
	flags changeFlags
	file  string
	temp  string // the copy that is edited
}

func (e *editCommand) run(_ *cobra.Command, args []string) (err error) {
	e.file = args[0]
	if err := checkChangeable(args); err != nil {
		return err
	}
	base, err := e.current()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "jtx-edit-")
	if err != nil {
		return err
	}
	e.temp = filepath.Join(dir, filepath.Base(e.file))
	if err := os.WriteFile(e.temp, base, 0o600); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	text, err := e.edited(base)
	if err == nil && text != nil {
		err = e.commit(base, text)
	}
	var keep *cli.KeptText
	if errors.As(err, &keep) {
		return err
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// current is the document, empty where there is none.
func (e *editCommand) current() ([]byte, error) {
	var data []byte
	flags := readFlags{lockFlags: e.flags.lockFlags, txFlags: e.flags.txFlags}
	err := e.a.view(&flags, []string{e.file}, func(tx *txn.Tx) error {
		var err error
		data, err = tx.Bytes(e.file)
		return err
	})
	if errors.Is(err, txn.ErrNotFound) {
		return nil, nil
	}
	return bytes.Clone(data), err
}

// edited lets the user edit until the text is JSON. It is nil where nothing is to
// be done.
func (e *editCommand) edited(base []byte) ([]byte, error) {
	for {
		if err := e.editor(); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(e.temp)
		if err != nil {
			return nil, err
		}
		switch {
		case bytes.Equal(text, base) && e.a.JSON && len(base) > 0:
			return text, nil // so that what is printed is as of any verb
		case bytes.Equal(text, base):
			e.a.Note("unchanged")
			return nil, nil
		case len(bytes.TrimSpace(text)) == 0:
			e.a.Note("given up: the text is empty; nothing was changed")
			return nil, nil
		}
		_, err = jsonpatch.Parse(text, jsonpatch.Limits{})
		if err == nil {
			return text, nil
		}
		if !e.again(cli.InvalidIn("the text", err)) {
			return nil, &cli.KeptText{Err: cli.InvalidIn("the text", err), Path: e.temp}
		}
	}
}

// editor runs the user's editor on the copy. Its words are split by a shell, as
// other programs do it.
func (e *editCommand) editor() error {
	editor := cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"), "vi")
	c := exec.Command("sh", "-c", editor+` "$1"`, "sh", e.temp)
	c.Stdin, c.Stdout, c.Stderr = e.a.Stdin, os.Stdout, os.Stderr
	err := e.a.RunChild(c)
	var child *cli.ChildError
	if errors.As(err, &child) {
		failed := &cli.Error{Exit: cli.ExitIO, Msg: fmt.Sprintf("the editor %s ended with %v", cli.QuoteWord(editor), child)}
		return failed.WithHint("$VISUAL or $EDITOR names the editor; nothing was changed")
	}
	return err
}

// again shows what is wrong with the text and asks whether to go on. Nobody
// answers where standard input has ended.
func (e *editCommand) again(err error) bool {
	e.a.Report(err)
	if e.a.JSON {
		return false
	}
	e.a.Message("edit again? [Y/n] ")
	line, readErr := bufio.NewReader(e.a.Stdin).ReadString('\n')
	if readErr != nil && line == "" {
		return false
	}
	return !strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "n")
}

// commit makes the text the document, unless the document is not the one that was
// edited any more.
func (e *editCommand) commit(base, text []byte) error {
	var theirs []byte
	raced := errors.New("raced")
	err := e.a.change(&e.flags, []string{e.file}, func(tx *txn.Tx) error {
		now, err := tx.Bytes(e.file)
		if err != nil && !errors.Is(err, txn.ErrNotFound) {
			return err
		}
		if !bytes.Equal(now, base) {
			theirs = bytes.Clone(now)
			return raced
		}
		return tx.Put(e.file, text)
	})
	if errors.Is(err, raced) {
		e.showBoth(base, theirs, text)
		err = &txn.Error{Kind: txn.ErrConflict, File: e.file, Err: errors.New("was changed by somebody else meanwhile")}
	}
	if err != nil {
		return &cli.KeptText{Err: err, Path: e.temp}
	}
	return nil
}

func (e *editCommand) showBoth(base, theirs, ours []byte) {
	for _, side := range []struct {
		who  string
		text []byte
	}{{"theirs", theirs}, {"yours", ours}} {
		e.a.Note("%s:", side.who)
		_, body, _ := strings.Cut(string(diff.Diff("before", base, side.who, side.text)), "\n")
		e.a.Note("%s", strings.TrimRight(body, "\n"))
	}
}
