package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/plus"
)

// runOther runs a verb that jtx hasn't: one of jtx-plus, or any for which there is a
// program jtx-VERB. It reports whether there was such a verb.
func runOther(p *cli.Program, a *cli.App, args []string) (bool, error) {
	at := wordIn(args)
	if at == len(args) {
		return false, nil
	}
	word := args[at]
	switch {
	case p.Has(word):
		return false, nil
	case word == "help", strings.HasPrefix(word, "__complete"):
		return runPlusFor(a, args, args[at+1:])
	}
	if _, ok := plus.Find(word); ok {
		return true, runPlus(a, args)
	}
	if !verbName().MatchString(word) {
		return false, nil
	}
	file := findProgram(cli.Run + "-" + word)
	if file == "" {
		return false, nil
	}
	given, err := ownFlags(a, args[:at])
	if err != nil {
		//lint:ignore nilerr the parser of all flags says what is wrong
		return false, nil
	}
	if err := a.Enter(); err != nil {
		return true, err
	}
	return true, become(a, file, append(given, args[at+1:]...), os.Environ())
}

// verbName is what can be the name of a verb that is a program of its own.
var verbName = cli.Pattern(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// wordIn finds the first argument that is no flag of every verb, nor a flag's value.
func wordIn(args []string) int {
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			return len(args)
		case arg == "--directory", !strings.HasPrefix(arg, "--") && strings.HasPrefix(arg, "-") && strings.HasSuffix(arg, "C"):
			i++
		case !strings.HasPrefix(arg, "-"):
			return i
		}
	}
	return len(args)
}

// ownFlags reads the flags before the verb, and returns those that are for the program
// that has the verb.
func ownFlags(a *cli.App, args []string) (given []string, err error) {
	fs := pflag.NewFlagSet(cli.Run, pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	a.RegisterFlags(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if a.JSON {
		given = append(given, "--json")
	}
	if a.Quiet {
		given = append(given, "--quiet")
	}
	return given, nil
}

// runPlusFor runs jtx-plus where what is asked about is a verb of it.
func runPlusFor(a *cli.App, args, about []string) (bool, error) {
	at := wordIn(about)
	if at == len(about) {
		return false, nil
	}
	if _, ok := plus.Find(about[at]); !ok {
		return false, nil
	}
	return true, runPlus(a, args)
}

func runPlus(a *cli.App, args []string) error {
	file := findProgram(plus.Name)
	if file == "" {
		return notInstalled(args[wordIn(args)])
	}
	return become(a, file, args, append(os.Environ(), plus.CallerVersion+"="+cli.Version()))
}

func notInstalled(verb string) error {
	version := cli.Version()
	if !releases().MatchString(version) {
		version = "latest"
	}
	e := cli.Usagef("jtx %s needs %s, which is not installed", verb, plus.Name)
	if self, err := os.Executable(); err == nil {
		return e.WithHint("go install github.com/jtx-project/jtx/cmd/%s@%s, or put it beside %s", plus.Name, version, cli.QuoteWord(self))
	}
	return e
}

// releases are the versions that can be asked for by name.
var releases = cli.Pattern(`^v[0-9]+\.[0-9]+\.[0-9]+(-rc\.[0-9]+)?$`)

// findProgram looks for a program beside jtx's own file, as that was called and as it
// is where that was a link, then in PATH. What is found by a relative name is never
// run: an empty or relative entry of PATH, and the current directory, belong to whoever
// made the directory that one happens to be in.
func findProgram(name string) string {
	for _, dir := range append(ownDirectories(), filepath.SplitList(os.Getenv("PATH"))...) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if file, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return file
		}
	}
	return ""
}

func ownDirectories() (dirs []string) {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		dirs = append(dirs, filepath.Dir(real))
	}
	if called := calledAs(self); called != "" {
		dirs = append(dirs, filepath.Dir(called))
	}
	return dirs
}

// calledAs is the absolute name by which jtx was run, where that is known: who starts a
// program may say any name, so it counts only where it leads to the file that runs.
func calledAs(self string) string {
	called := os.Args[0]
	if !strings.ContainsRune(called, filepath.Separator) {
		called = ""
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			if file, err := exec.LookPath(filepath.Join(dir, os.Args[0])); err == nil && filepath.IsAbs(dir) {
				called = file
				break
			}
		}
	}
	abs, err := filepath.Abs(called)
	if called == "" || err != nil || !sameFile(abs, self) {
		return ""
	}
	return abs
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(one, other)
}
