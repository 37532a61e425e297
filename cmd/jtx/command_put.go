package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newPut(a *app) *cobra.Command {
	return newDocumentVerb(a, documentVerb{
		use: "put FILE [SRC]", short: "replace the whole document",
		long: "Makes SRC the whole document, its bytes kept as given. A file that is not there is made.",
		example: cli.Example(`jtx put new.json '{"a": 1}'`, `printf '[1, 2]\n' | jtx put list.json -`,
			`jtx put list.json new.json`, `jtx put scalar.json --value 5`),
		check: func(data []byte) error {
			_, err := jsonpatch.Parse(data, jsonpatch.Limits{}) // comments are for the file to allow
			return err
		},
		do: (*txn.Tx).Put, makes: true, makesFile: true,
	})
}

func newPatch(a *app) *cobra.Command {
	return newDocumentVerb(a, documentVerb{
		use: "patch FILE [SRC]", short: "apply an RFC 6902 patch",
		long: `Applies the RFC 6902 patch SRC: all of its operations or none. The exit code is 3
where a test fails, or the path of an operation is not there.`,
		example: cli.Example(`jtx patch config.json '[{"op": "test", "path": "/server/port", "value": 80},
    {"op": "replace", "path": "/server/port", "value": 8080}]'`, `jtx patch config.json patch.json --dry-run`),
		check: checkPatch,
		do:    (*txn.Tx).Patch,
	})
}

func newMerge(a *app) *cobra.Command {
	return newDocumentVerb(a, documentVerb{
		use: "merge FILE [SRC]", short: "apply an RFC 7386 merge patch",
		long:    "Applies the RFC 7386 merge patch SRC: its members are set, those that are null removed. A file that is not there is made.",
		example: cli.Example(`jtx merge config.json '{"server": {"port": 8080, "host": null}}'`),
		check:   checkMerge,
		do:      (*txn.Tx).Merge, makesFile: true,
	})
}

func checkPatch(data []byte) error {
	_, err := jsonpatch.DecodePatch(data, jsonpatch.Limits{})
	if errors.Is(err, jsonpatch.ErrPatch) && bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return &cli.Hinted{Err: err, Hint: "an object is a merge patch: jtx merge takes it, and jtx apply --merge"}
	}
	return err
}

func checkMerge(data []byte) error {
	_, err := jsonpatch.ParseStrict(data, jsonpatch.Limits{})
	return err
}

// documentVerb is a verb that does something to FILE with a document.
type documentVerb struct {
	use, short, long, example string
	check                     func(data []byte) error
	do                        func(tx *txn.Tx, file string, data []byte) error
	makesFile                 bool // where there is none
	makes                     bool // it may be asked to do so only where there is no file
}

const aboutSRC = `

SRC is inline JSON where it begins with { or [, else a path, and - is standard
input, as is no SRC. Prints TXID FILE@REV.`

func newDocumentVerb(a *app, v documentVerb) *cobra.Command {
	var flags changeFlags
	var src cli.SourceFlags
	cmd := &cobra.Command{
		Use: v.use, Short: v.short, Long: v.long + aboutSRC, Example: v.example,
		Args:              cli.Words(1, 2),
		ValidArgsFunction: completeFiles,
	}
	flags.register(cmd.Flags())
	if v.makesFile {
		flags.registerParents(cmd.Flags())
	}
	src.Register(cmd.Flags())
	var ifMissing bool
	var layout string
	var keep bool
	if !v.makes {
		flags.registerStyle(cmd.Flags())
	}
	if v.makes {
		cmd.Flags().StringVar(&layout, "indent", "", "write SRC anew: with `N` spaces, tab or compact")
		registerIfMissing(cmd.Flags(), &ifMissing)
		cmd.Flags().BoolVar(&keep, "keep-layout", false, "change only what differs in value")
	}
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		file := args[0]
		if err := cli.CheckFile(file); err != nil {
			return err
		}
		in, err := src.Read(a.App, args[1:])
		if err != nil {
			return err
		}
		// Checked before any lock is taken, so that an error is plainly about
		// SRC, and not about the file.
		if err := v.check(in.Data); err != nil {
			return cli.InvalidIn(in.Name, err)
		}
		if layout != "" {
			if in.Data, err = indented(in.Data, layout); err != nil {
				return err
			}
		}
		return a.change(&flags, []string{file}, unlessThere(ifMissing, file, func(tx *txn.Tx) error {
			if keep {
				return tx.Encode(file, json.RawMessage(jsonpatch.Compact(in.Data)))
			}
			return aboutSource(in.Name, v.do(tx, file, in.Data))
		}))
	})
	return cmd
}

// aboutSource names what a text came from that the file could not take, though it
// was read before: it has comments, or commas at the end, or repeats a name.
func aboutSource(name string, err error) error {
	var syn *jsonpatch.SyntaxError
	if !errors.As(err, &syn) {
		return err
	}
	if strings.HasPrefix(syn.Msg, "duplicate") {
		return cli.InvalidIn(name, syn).WithHint("a name that is repeated may stand only where the file repeats one already: readers disagree about which counts")
	}
	return cli.InvalidIn(name, syn).WithHint("comments and trailing commas may stand in a .jsonc file, and where a file has some already")
}
