package main

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newSnapshot(a *app) *cobra.Command {
	var flags readFlags
	var at atFlags
	cmd := &cobra.Command{
		Use:   "snapshot FILE ...",
		Short: "print one consistent state of several files",
		Long: `Prints one consistent state of the files, as an object by file: never a part of
a transaction. --at takes the state at a time, or at a transaction. With --json each file is an object in a list, with its revision.`,
		Example:           cli.Example(`jtx snapshot a.json b.json`),
		Args:              cli.Words(1, -1),
		ValidArgsFunction: completeFiles,
	}
	flags.register(cmd.Flags())
	at.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		slices.Sort(args)
		args = slices.Compact(args)
		if at.at != "" {
			return a.snapshotAt(&flags, args, at.at)
		}
		var shots []shot
		err := a.view(&flags, args, func(tx *txn.Tx) (err error) {
			shots, err = shoot(tx, args)
			return err
		})
		if err != nil {
			return err
		}
		return a.printShots(shots)
	})
	return cmd
}

// snapshotAt prints an old state.
func (a *app) snapshotAt(flags *readFlags, files []string, at string) error {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	p, err := a.parseMoment("--at", at)
	if err != nil {
		return err
	}
	s, err := a.openStore(&flags.lockFlags)
	if err != nil {
		return err
	}
	versions, err := history.ReadVersions(a.Ctx, s, files, p)
	if err != nil {
		return err
	}
	var shots []shot
	for i, v := range versions {
		if v.Rev == 0 {
			return &txn.Error{Kind: txn.ErrNotFound, File: files[i], Err: errors.New("has no version so old")}
		}
		if !v.Exists {
			return &txn.Error{Kind: txn.ErrNotFound, File: files[i], Err: errors.New("was not there then")}
		}
		shots = append(shots, shot{cli.NewJSONFile(files[i]), v.Rev, jsonpatch.Compact(v.Data)})
	}
	return a.printShots(shots)
}

// shot is a file in a snapshot.
type shot struct {
	*cli.JSONFile
	Rev   uint64          `json:"rev"`
	Value json.RawMessage `json:"value"`
}

func shoot(tx *txn.Tx, files []string) ([]shot, error) {
	shots := make([]shot, len(files))
	for i, file := range files {
		rev, err := tx.Rev(file)
		if err != nil {
			return nil, err
		}
		data, err := tx.Bytes(file)
		if err != nil {
			return nil, err
		}
		shots[i] = shot{cli.NewJSONFile(file), rev, jsonpatch.Compact(data)}
	}
	return shots, nil
}

func (a *app) printShots(shots []shot) error {
	if a.JSON {
		return a.WriteJSON(map[string][]shot{"files": shots})
	}
	seen := map[string]bool{}
	out := []byte("{")
	for i, s := range shots {
		if seen[s.File] {
			return cli.Usagef("two names look alike as JSON: %s", s.File).WithHint("--json tells them apart")
		}
		seen[s.File] = true
		name, err := cli.QuoteJSON(s.File)
		if err != nil {
			return err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, "\n  "...), name...), ": "...), s.Value...)
	}
	return a.WriteDocument(append(out, "\n}\n"...))
}
