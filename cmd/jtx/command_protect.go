package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/txn"
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
		Example: example(`jtx protect 'c*.json'`, `jtx protect --check config.json`, `jtx protect --heal`, `jtx protect --list`,
			`jtx protect --remove 'c*.json'`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	p.lock.register(fs)
	fs.BoolVar(&p.list, "list", false, "print the patterns")
	fs.BoolVar(&p.remove, "remove", false, "take PATTERNs off the list")
	fs.BoolVar(&p.check, "check", false, "exit with 0 if FILE is protected, else 1")
	fs.BoolVar(&p.heal, "heal", false, "bring the last good version of damaged files back")
	cmd.RunE = a.verb(p.run)
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
		return usagef("--list, --remove, --check and --heal exclude each other")
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
		return missing(cmd)
	case p.check:
		return p.checkFile(s, args[0])
	case p.remove:
		return s.Unprotect(p.a.ctx, args)
	}
	if err := p.checkPatterns(args); err != nil {
		return err
	}
	tracked, err := s.Protect(p.a.ctx, args)
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
			all := quoteWord(filepath.Join(arg, "*.json"))
			return usagef("%s is a directory, and a pattern names files", quoteWord(arg)).withHint("jtx protect %s names those in it", all)
		case err == nil:
			files++
		}
	}
	if files > 1 && files == len(args) {
		p.a.note("note: these are names of files; a pattern in quotes, such as '*.json', names those too that are made later")
	}
	return nil
}

func (p *protectCommand) report(tracked []string) error {
	if p.a.json {
		files := []*jsonFile{}
		for _, f := range tracked {
			files = append(files, newJSONFile(shown(f)))
		}
		return p.a.writeJSON(map[string]any{"tracked": files})
	}
	for _, f := range tracked {
		p.a.note("%s: its history begins", quoteWord(shown(f)))
	}
	return nil
}

type protectionJSON struct {
	Root    string `json:"root"`
	Pattern string `json:"pattern"`
}

func (p *protectCommand) listPatterns(s *txn.Store) error {
	list, err := s.Protections(p.a.ctx)
	if err != nil {
		return err
	}
	if p.a.json {
		all := []protectionJSON{}
		for _, x := range list {
			all = append(all, protectionJSON{x.Root, x.Pattern})
		}
		return p.a.writeJSON(map[string]any{"protect": all})
	}
	t := &table{header: []string{"PATTERN", "IN"}}
	for _, x := range list {
		t.add(quoteWord(x.Pattern), quoteWord(x.Root))
	}
	return p.a.table(t)
}

func (p *protectCommand) checkFile(s *txn.Store, file string) error {
	p.a.asks = true
	if err := checkFile(file); err != nil {
		return err
	}
	found, err := s.Protected(p.a.ctx, file)
	if err != nil {
		return err
	}
	if p.a.json {
		return p.a.writeJSON(protectionJSON{found.Root, found.Pattern})
	}
	p.a.note("%s is protected by %s in %s", quoteWord(file), quoteWord(found.Pattern), quoteWord(found.Root))
	return nil
}

type healedJSON struct {
	*jsonFile
	Rev   uint64 `json:"rev,omitempty"`
	TX    string `json:"tx,omitempty"`
	Aside string `json:"aside,omitempty"`
	Error string `json:"error,omitempty"`
}

func (p *protectCommand) healFiles(s *txn.Store, files []string) error {
	if err := checkFiles(files); err != nil {
		return err
	}
	healed, err := s.Heal(p.a.ctx, files)
	list := []healedJSON{}
	for _, h := range healed {
		err = errors.Join(err, h.Err)
		list = append(list, newHealedJSON(h))
	}
	if p.a.json {
		return errors.Join(p.a.writeJSON(map[string]any{"healed": list}), err)
	}
	for _, h := range list {
		if h.Error != "" {
			continue
		}
		if h.Aside != "" {
			p.a.note("note: the damaged bytes of %s are kept in %s", quoteWord(h.File), quoteWord(h.Aside))
		}
		if out := p.a.printf("%s@%d\n", quoteWord(h.File), h.Rev); out != nil {
			return errors.Join(out, err)
		}
	}
	return err
}

func newHealedJSON(h txn.Healed) healedJSON {
	j := healedJSON{jsonFile: newJSONFile(shown(h.File))}
	if h.Err != nil {
		j.Error = messageOf(h.Err)
		return j
	}
	j.TX = h.Result.ID.String()
	for _, f := range h.Result.Files {
		j.Rev = f.Rev
	}
	for _, d := range h.Result.Recovered {
		if d.Aside != "" {
			j.Aside = shown(d.Aside)
		}
	}
	return j
}
