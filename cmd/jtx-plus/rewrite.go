package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/rewrite"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newRewrite(a *cli.App, cmd *cobra.Command) {
	r := &rewriteCommand{a: a}
	cmd.Long = `Looks for the ways in which shell scripts write JSON files unsafely, such as
jq ... f.json > tmp && mv tmp f.json, and shows as a diff what would replace them.
What it isn't sure of is left alone, and listed with the reason, as are programs
in other languages.

With --write the scripts are changed. A copy of each as it was is kept in the
workspace, and named. - is standard input, and with --write the result is printed.`
	cmd.Example = cli.Example(`jtx rewrite deploy.sh`, `jtx rewrite --write deploy.sh`)
	cmd.Args = cli.Words(1, -1)
	cmd.Flags().BoolVarP(&r.write, "write", "w", false, "change the scripts")
	cmd.RunE = a.Verb(r.run)
}

type rewriteCommand struct {
	a     *cli.App
	write bool
}

// script is one script with what was found in it.
type script struct {
	name string
	old  []byte
	rewrite.Result
	kept string // where a copy of it as it was is
}

func (r *rewriteCommand) run(_ *cobra.Command, args []string) error {
	var failed error
	for _, name := range args {
		// One that can't be read must not keep the others from being shown.
		if err := r.one(name); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (r *rewriteCommand) one(name string) error {
	s, err := r.read(name)
	if err != nil {
		return err
	}
	changed := s.Text != string(s.old)
	if r.write && changed && name != "-" {
		if err := r.replace(s); err != nil {
			return err
		}
	}
	switch {
	case r.a.JSON:
		return r.a.WriteJSON(s.json(r.write))
	case r.write && name == "-":
		err = r.a.Write([]byte(s.Text))
	case changed:
		err = r.a.Write(paintDiff(r.a.Stdout, diff.Diff(name, s.old, name, []byte(s.Text))))
	}
	if err != nil {
		return err
	}
	r.list(s)
	return nil
}

func (r *rewriteCommand) read(name string) (*script, error) {
	s := &script{name: name}
	if name == "-" {
		in, err := r.a.ReadStdin()
		if err != nil {
			return nil, err
		}
		s.old = in.Data
	} else {
		data, err := r.a.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &cli.Error{Exit: cli.ExitNo, Msg: cli.QuoteWord(name) + ": no such file"}
		}
		if err != nil {
			return nil, err
		}
		s.old = data
	}
	res, err := rewrite.Script(string(s.old))
	if err != nil {
		return nil, cli.InvalidIn(cli.QuoteWord(name), err)
	}
	s.Result = res
	return s, nil
}

// replace keeps the script as it was, and puts the new one in its place.
func (r *rewriteCommand) replace(s *script) error {
	store, err := r.a.Store(txn.Options{})
	if err != nil {
		return err
	}
	if s.kept, err = admin.Keep(r.a.Ctx, store, s.name, s.old); err != nil {
		return err
	}
	return replaceFile(s.name, []byte(s.Text))
}

// list says on standard error what was done and what was not.
func (r *rewriteCommand) list(s *script) {
	done := 0
	for _, f := range s.Findings {
		if f.Verdict == rewrite.Done {
			done++
			continue
		}
		r.a.Note("%s:%d: %s: %s: %s", cli.QuoteWord(s.name), f.Line, f.Verdict, f.Idiom, cli.Printable(f.Reason))
	}
	word := "to rewrite"
	if r.write {
		word = "rewritten"
	}
	summary := fmt.Sprintf("%s: %d %s", cli.QuoteWord(s.name), done, word)
	if rest := len(s.Findings) - done; rest > 0 {
		summary += fmt.Sprintf(", %d to look at", rest)
	}
	if s.kept != "" {
		summary += "; as it was: " + cli.QuoteWord(cli.Shown(s.kept))
	}
	r.a.Note("%s", summary)
}

func (s *script) json(write bool) rewrite.JSON {
	j := s.JSON()
	j.JSONFile, j.Written = cli.NewJSONFile(s.name), write && s.Text != string(s.old)
	if s.kept != "" {
		j.Kept = cli.NewJSONFile(cli.Shown(s.kept))
	}
	return j
}

// paintDiff colors a unified diff, and takes off the line that names its command.
func paintDiff(w io.Writer, text []byte) []byte {
	_, body, _ := strings.Cut(string(text), "\n")
	var b strings.Builder
	for line := range strings.Lines(body) {
		plain := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			plain = cli.Paint(w, cli.Bold, plain)
		case strings.HasPrefix(line, "-"):
			plain = cli.Paint(w, cli.Red, plain)
		case strings.HasPrefix(line, "+"):
			plain = cli.Paint(w, cli.Green, plain)
		case strings.HasPrefix(line, "@@"):
			plain = cli.Paint(w, cli.Dim, plain)
		}
		b.WriteString(plain + "\n")
	}
	return []byte(b.String())
}

// replaceFile replaces a file that is no JSON, by renaming a whole and synced one
// over it. The mode stays, and a symbolic link is followed.
func replaceFile(name string, data []byte) (err error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(real)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(real), "."+filepath.Base(real)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), real)
}
