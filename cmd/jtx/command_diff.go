package main

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newDiff(a *app) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:   "diff FILE@A [FILE@B]",
		Short: "what changed between two versions",
		Long: `Shows what leads from one version to the other: as an RFC 6902 patch, or on a
terminal as a list of the changed places. Without a second version it is the
current content, edits made outside jtx included; FILE without a version is
FILE@-1. The exit code is 1 where the versions differ.`,
		Example:           cli.Example(`jtx set config.json /server/port 81`, `jtx diff config.json@1 config.json@2 || echo they differ`),
		Args:              cli.Words(1, 2),
		ValidArgsFunction: completeFiles,
	}
	lock.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		s, err := a.openStore(&lock)
		if err != nil {
			return err
		}
		from, err := a.versionOf(args[0], "")
		if err != nil {
			return err
		}
		if from.text == "" && len(args) == 1 {
			from.text, from.point = "-1", history.Back(1)
		}
		to := versioned{file: from.file}
		if len(args) > 1 {
			if to, err = a.versionOf(args[1], ""); err != nil {
				return err
			}
		}
		return a.diff(s, from, to)
	})
	return cmd
}

// sideJSON is one of the two versions.
type sideJSON struct {
	*cli.JSONFile
	Rev    uint64 `json:"rev"` // 0: not recorded
	Exists bool   `json:"exists"`
}

type diffJSON struct {
	From  sideJSON        `json:"from"`
	To    sideJSON        `json:"to"`
	Same  bool            `json:"same"`
	Patch json.RawMessage `json:"patch"`
}

func (a *app) diff(s *txn.Store, from, to versioned) error {
	old, err := a.content(s, from)
	if err != nil {
		return err
	}
	now, err := a.content(s, to)
	if err != nil {
		return err
	}
	patch, err := patchBetween(old, now)
	if err != nil {
		return err
	}
	same := old.Exists == now.Exists && bytes.Equal(old.Data, now.Data)
	if err := a.printDiff(s, old, now, patch, same); err != nil {
		return err
	}
	if same {
		return nil
	}
	return &cli.ChildError{Code: cli.ExitNo}
}

func (a *app) printDiff(s *txn.Store, old, now history.FileVersion, patch jsonpatch.Patch, same bool) error {
	p := a.people(s)
	var b bytes.Buffer
	switch {
	case a.JSON:
		b.Write(cli.EncodeJSON(diffJSON{side(old), side(now), same, patch.Encode()}))
	case same:
		return nil
	case p.Terminal:
		doc := jsonpatch.Trusted(old.Data, jsonpatch.JSONC)
		if !old.Exists {
			doc = nil
		}
		p.patch(&b, doc, patch)
	default:
		b.Write(append(patch.Encode(), '\n'))
	}
	_, err := b.WriteTo(p)
	return errors.Join(err, p.Close())
}

func side(v history.FileVersion) sideJSON {
	return sideJSON{cli.NewJSONFile(cli.Shown(v.File)), v.Rev, v.Exists}
}

// content is a version, or what the file holds now where none is named.
func (a *app) content(s *txn.Store, v versioned) (history.FileVersion, error) {
	if v.text != "" {
		return history.ReadVersion(a.Ctx, s, v.file, v.point)
	}
	now := history.FileVersion{File: v.file}
	err := s.View(a.Ctx, []string{v.file}, func(tx *txn.Tx) (err error) {
		if now.Exists, err = tx.Exists(v.file); err != nil || !now.Exists {
			return err
		}
		now.Data, err = tx.Bytes(v.file)
		return err
	})
	if err != nil {
		return now, err
	}
	// What was edited outside, and is not recorded yet, has no revision.
	if newest, err := history.ReadVersion(a.Ctx, s, v.file, history.Point{}); err == nil && newest.Exists == now.Exists && bytes.Equal(newest.Data, now.Data) {
		now.Rev = newest.Rev
	}
	return now, nil
}

func patchBetween(old, now history.FileVersion) (jsonpatch.Patch, error) {
	switch {
	case !old.Exists && !now.Exists:
		return nil, nil
	case !old.Exists:
		return jsonpatch.Patch{{Op: "add", Value: jsonpatch.Compact(now.Data)}}, nil
	case !now.Exists:
		return jsonpatch.Patch{{Op: "remove"}}, nil
	}
	return jsonpatch.Diff(jsonpatch.Trusted(old.Data, jsonpatch.JSONC), jsonpatch.Trusted(now.Data, jsonpatch.JSONC))
}
