package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newProtect(a *app) *cobra.Command {
	p := &protectCommand{a: a}
	cmd := &cobra.Command{
		Use:   "protect PATTERN ... | --list | --remove PATTERN ... | --check FILE | --heal [FILE ...]",
		Short: "name the files that matter, and heal them",
		Long: `Names files that matter, by patterns such as 'memory/*.json' or '**/state.json',
relative to the current directory and kept in .jtx/config.json. Their history
begins at once, so that status, verify and backup cover them, and edits by others
are recorded. That of a file which appears later begins with the next change of a
file, jtx recover, backup, protect or --heal; until then status and verify show it
as untracked. (A change looks for files of a pattern with ** only in the directory
of the file that it changes, the others everywhere.)

--check tells by its exit code whether FILE is protected. --heal looks at the
protected files, or FILEs, and brings the last good version of those back that are
no JSON; the damaged bytes are set aside. One that is empty or cut short is looked
at again before it counts as damaged. It prints FILE@REV of what it healed.`,
		Example: cli.Example(`jtx protect 'c*.json'`, `jtx protect --check config.json`, `jtx protect --heal`, `jtx protect --list`,
			`jtx protect --remove 'c*.json'`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	p.lock.register(fs)
	fs.BoolVar(&p.list, "list", false, "print the patterns")
	fs.BoolVar(&p.remove, "remove", false, "take PATTERNs off the list")
	fs.BoolVar(&p.check, "check", false, "exit with 0 if FILE is protected, else 1")
	fs.BoolVar(&p.heal, "heal", false, "bring the last good version of damaged files back")
	cmd.RunE = a.Verb(p.run)
	return cmd
}

type protectCommand struct {
	a                         *app
	lock                      lockFlags
	list, remove, check, heal bool
}

func (p *protectCommand) run(cmd *cobra.Command, args []string) error {
	asked := 0
	for _, flag := range []bool{p.list, p.remove, p.check, p.heal} {
		if flag {
			asked++
		}
	}
	if asked > 1 {
		return cli.Usagef("--list, --remove, --check and --heal exclude each other")
	}
	s, err := p.a.openStore(&p.lock)
	if err != nil {
		return err
	}
	switch {
	case p.heal:
		return p.healFiles(s, args)
	case p.list:
		return p.listPatterns(s)
	case len(args) == 0, p.check && len(args) > 1:
		return cli.Missing(cmd)
	case p.check:
		return p.checkFile(s, args[0])
	case p.remove:
		if err := admin.Unprotect(p.a.Ctx, s, args); err != nil || !p.a.JSON {
			return err
		}
		return p.a.WriteJSON(map[string][]string{"removed": args})
	}
	if err := p.checkPatterns(args); err != nil {
		return err
	}
	tracked, err := admin.Protect(p.a.Ctx, s, args)
	if err != nil && len(tracked) == 0 {
		return err
	}
	return errors.Join(p.report(tracked), err)
}

// checkPatterns refuses a directory, which as a pattern names none of its files, and
// says where the shell has put the names of files in the place of a pattern.
func (p *protectCommand) checkPatterns(args []string) error {
	files := 0
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err == nil && info.IsDir():
			all := cli.QuoteWord(filepath.Join(arg, "*.json"))
			return cli.Usagef("%s is a directory, and a pattern names files", cli.QuoteWord(arg)).WithHint("jtx protect %s names those in it", all)
		case err == nil:
			files++
		}
	}
	if files > 1 && files == len(args) {
		p.a.Note("note: these are names of files; a pattern in quotes, such as '*.json', names those too that are made later")
	}
	return nil
}

func (p *protectCommand) report(tracked []string) error {
	if p.a.JSON {
		files := []*cli.JSONFile{}
		for _, f := range tracked {
			files = append(files, cli.NewJSONFile(cli.Shown(f)))
		}
		return p.a.WriteJSON(map[string]any{"tracked": files})
	}
	for _, f := range tracked {
		p.a.Note("%s: its history begins", cli.QuoteWord(cli.Shown(f)))
	}
	return nil
}

type protectionJSON struct {
	Root    string `json:"root"`
	Pattern string `json:"pattern"`
}

func (p *protectCommand) listPatterns(s *txn.Store) error {
	list, err := admin.Protections(p.a.Ctx, s)
	if err != nil {
		return err
	}
	if p.a.JSON {
		all := []protectionJSON{}
		for _, x := range list {
			all = append(all, protectionJSON{x.Root, x.Pattern})
		}
		return p.a.WriteJSON(map[string]any{"protect": all})
	}
	t := &cli.Table{Header: []string{"PATTERN", "IN"}}
	for _, x := range list {
		t.Add(cli.QuoteWord(x.Pattern), cli.QuoteWord(x.Root))
	}
	return p.a.Table(t)
}

func (p *protectCommand) checkFile(s *txn.Store, file string) error {
	p.a.Asks = true
	if err := cli.CheckFile(file); err != nil {
		return err
	}
	found, err := admin.Protected(p.a.Ctx, s, file)
	if err != nil {
		return err
	}
	if p.a.JSON {
		return p.a.WriteJSON(protectionJSON{found.Root, found.Pattern})
	}
	p.a.Note("%s is protected by %s in %s", cli.QuoteWord(file), cli.QuoteWord(found.Pattern), cli.QuoteWord(found.Root))
	return nil
}

type healedJSON struct {
	*cli.JSONFile
	Rev   uint64 `json:"rev,omitempty"`
	TX    string `json:"tx,omitempty"`
	Aside string `json:"aside,omitempty"`
	Error string `json:"error,omitempty"`
}

func (p *protectCommand) healFiles(s *txn.Store, files []string) error {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	healed, err := admin.Heal(p.a.Ctx, s, files)
	list := []healedJSON{}
	for _, h := range healed {
		err = errors.Join(err, h.Err)
		list = append(list, newHealedJSON(h))
	}
	if p.a.JSON {
		return errors.Join(p.a.WriteJSON(map[string]any{"healed": list}), err)
	}
	for _, h := range list {
		if h.Error != "" {
			continue
		}
		if h.Aside != "" {
			p.a.Tell(fmt.Sprintf("the damaged bytes of %s are kept in %s", cli.QuoteWord(h.File), cli.QuoteWord(h.Aside)))
		}
		if out := p.a.Printf("%s@%d\n", cli.QuoteWord(h.File), h.Rev); out != nil {
			return errors.Join(out, err)
		}
	}
	return err
}

func newHealedJSON(h admin.Healed) healedJSON {
	j := healedJSON{JSONFile: cli.NewJSONFile(cli.Shown(h.File))}
	if h.Err != nil {
		j.Error = cli.MessageOf(h.Err)
		return j
	}
	j.TX = h.Result.ID.String()
	for _, f := range h.Result.Files {
		j.Rev = f.Rev
	}
	for _, d := range h.Result.Recovered {
		if d.Aside != "" {
			j.Aside = cli.Shown(d.Aside)
		}
	}
	return j
}
