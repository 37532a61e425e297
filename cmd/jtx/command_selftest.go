package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/selftest"
)

func newSelftest(a *app) *cobra.Command {
	c := &selftestCommand{a: a}
	cmd := &cobra.Command{
		Use:   "selftest [DIR]",
		Short: "try whether files are safe with jtx here",
		Long: `Tries what jtx needs and promises in DIR (default: the current directory), with
files of its own that it removes again. It takes less than half a minute:
whether fsync and rename do what they should, as far as that can be seen;
whether locks exclude other processes; processes that are killed in the middle
of commits; and processes that work at once. A line for each check: name, ok,
limited (it works, but something can't be promised on this file system) or
FAILED, and what was found. The exit code is 1 where one failed.`,
		Example: cli.Example(`jtx selftest --time 1s .`),
		Args:    cli.Words(0, 1),
	}
	flags := cmd.Flags()
	flags.DurationVar(&c.time, "time", 5*time.Second, "bound for each of the three checks that take long")
	flags.Uint64Var(&c.seed, "seed", 0, "repeat the choices of the run that showed this seed")
	flags.StringVar(&c.child, "child", "", "be a process of a check")
	if err := flags.MarkHidden("child"); err != nil {
		panic(err) // the flag is defined above
	}
	cmd.RunE = a.Verb(c.run)
	return cmd
}

type selftestCommand struct {
	a     *app
	time  time.Duration
	seed  uint64
	child string
}

func (c *selftestCommand) run(_ *cobra.Command, args []string) error {
	if c.child != "" {
		return selftest.Child(c.a.Ctx, c.child, os.Stdin, c.a.Stdout)
	}
	if c.time <= 0 {
		return cli.Usagef("--time %s: want a time to spend", c.time)
	}
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	report, err := selftest.Run(c.a.Ctx, selftest.Options{
		Dir: dir, Child: c.self, Time: c.time, Seed: c.seed, Progress: c.a.Progress("selftest"),
	})
	if errors.Is(err, fs.ErrNotExist) {
		return &cli.Error{Exit: cli.ExitNo, Err: err}
	}
	if err != nil {
		return err
	}
	if err := c.print(report); err != nil {
		return err
	}
	if n := report.Failed(); n > 0 {
		return &cli.Error{Exit: cli.ExitNo, Msg: fmt.Sprintf("%s failed (seed %d)", cli.Plural(n, "check"), report.Seed), Hint: "don't trust this directory with jtx before you know why"}
	}
	return nil
}

// self is this program, as a process of a check.
func (c *selftestCommand) self(job string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c.a.Signals.Wait()
	cmd := exec.CommandContext(c.a.Ctx, exe, "selftest", "--child", job)
	cmd.Args[0] = os.Args[0] // a test binary is jtx by this name alone
	return cmd, nil
}

type checkJSON struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Detail  string `json:"detail"`
}

type selftestJSON struct {
	Dir        string      `json:"dir"`
	FileSystem string      `json:"file_system"`
	Seed       uint64      `json:"seed"`
	Failed     int         `json:"failed"`
	Checks     []checkJSON `json:"checks"`
}

func (c *selftestCommand) print(r selftest.Report) error {
	if c.a.JSON {
		out := selftestJSON{cli.NewJSONFile(r.Dir).File, r.FS, r.Seed, r.Failed(), nil}
		for _, ch := range r.Checks {
			out.Checks = append(out.Checks, checkJSON{ch.Name, ch.Verdict.String(), ch.Detail})
		}
		return c.a.WriteJSON(out)
	}
	t := &cli.Table{Header: []string{"CHECK", "VERDICT", "FOUND"}}
	for _, ch := range r.Checks {
		t.Add(ch.Name, ch.Verdict.String(), cli.Printable(ch.Detail))
	}
	return c.a.Table(t)
}
