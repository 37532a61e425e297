package main

import (
	"errors"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/backup"
)

func newBackup(a *app) *cobra.Command {
	b := &backupCommand{a: a}
	cmd := &cobra.Command{
		Use:   "backup DEST",
		Short: "a consistent copy of all tracked files",
		Long: `Writes a consistent copy of every tracked file in or below the current directory
to DEST, while writers go on: a directory or, by its ending, a .tar, .tar.gz or
.tar.zst. DEST must not exist. Its manifest has the hash and revision of each file.
The copy comes from the journals, so a file that is damaged or gone is in it as it
last was; --at takes the state at a time or a transaction. --base names a former
backup, beside which the new one stores only what has changed since.

--check reads a backup, and those it builds on, and compares each file with the
manifest; the exit code is 6 where something is wrong. jtx restore --from DEST
brings files back.`,
		Example: cli.Example(`jtx set config.json /server/port 81`, `jtx backup monday.tar.zst`, `jtx backup --base monday.tar.zst tuesday.tar.zst`, `jtx backup --check tuesday.tar.zst`),
		Args:    cli.Words(1, 1),
	}
	flags := cmd.Flags()
	b.lock.register(flags)
	flags.StringVar(&b.at, "at", "", "the state at a `TIME`, or at a transaction")
	flags.StringVar(&b.base, "base", "", "store only what has changed since this former `BACKUP`")
	flags.BoolVar(&b.check, "check", false, "check the backup DEST, make none")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error { return b.run(args[0]) })
	return cmd
}

type backupCommand struct {
	a        *app
	lock     lockFlags
	at, base string
	check    bool
}

func (b *backupCommand) run(dest string) error {
	if err := cli.CheckFile(dest); err != nil {
		return err
	}
	if b.check {
		return b.checkBackup(dest)
	}
	s, err := b.a.openStore(&b.lock)
	if err != nil {
		return err
	}
	o := admin.BackupOptions{Base: b.base}
	if b.at != "" {
		if o.At, err = b.a.parseMoment("--at", b.at); err != nil {
			return err
		}
	} else if _, err := admin.TrackProtected(b.a.Ctx, s); err != nil {
		b.a.Warn("not in the backup: " + cli.MessageOf(err)) // it has no version to be in it
	}
	m, err := admin.Backup(b.a.Ctx, s, dest, o)
	if m == nil {
		return err
	}
	return cli.Several(b.print(m), err)
}

func (b *backupCommand) checkBackup(dest string) error {
	m, err := backup.Check(dest)
	if errors.Is(err, fs.ErrNotExist) {
		return noBackup(dest)
	}
	if err == nil {
		return b.print(m)
	}
	var errs []error
	for _, e := range cli.Parts(err) {
		if errors.Is(e, backup.ErrBad) {
			e = (&cli.Error{Exit: cli.ExitDamaged, Err: e}).WithHint("what is whole in it can still be brought back: jtx restore --from %s", cli.QuoteWord(dest))
		}
		errs = append(errs, e)
	}
	return cli.Several(errs...)
}

func noBackup(name string) error {
	return &cli.Error{Exit: cli.ExitNo, Msg: cli.QuoteWord(name) + ": no such backup"}
}

// backedUpJSON is a file of a backup.
type backedUpJSON struct {
	*cli.JSONFile
	Rev    uint64 `json:"rev"`
	TX     string `json:"tx"`
	Time   string `json:"time"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	InBase bool   `json:"in_base,omitempty"`
}

func (b *backupCommand) print(m *backup.Manifest) error {
	for _, path := range m.Unknown {
		b.a.Warn(cli.QuoteWord(string(path)) + " is not in it: what it was then is not known")
	}
	if b.a.JSON {
		list := []backedUpJSON{}
		for _, f := range m.Files {
			list = append(list, backedUpJSON{cli.NewJSONFile(string(f.Path)), f.Rev, f.Tx, f.Time.Format(time.RFC3339Nano), f.Size, f.SHA256, f.InBase})
		}
		return b.a.WriteJSON(map[string]any{"files": list})
	}
	stored := 0
	for _, f := range m.Files {
		if !f.InBase {
			stored++
		}
	}
	what := "backed up"
	if b.check {
		what = "checked"
	}
	b.a.Note("%s: %s, %d stored here", what, cli.Plural(len(m.Files), "file"), stored)
	return nil
}
