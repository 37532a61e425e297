package cli

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Mark precedes a word that begins like a negative number, so that the parser of
// flags takes it for a word. No argument of a process can hold a NUL of its own.
const Mark = "\x00"

// MarkNegatives marks the words that are values and look like flags: no flag of
// jtx begins with a digit. One that is the value of the flag before it is left,
// and so is everything behind "--".
func MarkNegatives(root *cobra.Command, args []string) []string {
	var marked []string
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if !looksNegative(arg) || i > 0 && takesValue(root, args, args[i-1]) {
			continue
		}
		if marked == nil {
			marked = append([]string(nil), args...)
		}
		marked[i] = Mark + arg
	}
	if marked == nil {
		return args
	}
	return marked
}

func looksNegative(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && (arg[1] == '.' || '0' <= arg[1] && arg[1] <= '9')
}

// takesValue tells whether prev is a flag of the verb in args that takes the word
// after it.
func takesValue(root *cobra.Command, args []string, prev string) bool {
	if len(prev) < 2 || prev[0] != '-' || strings.Contains(prev, "=") {
		return false
	}
	cmd, _, err := root.Find(args)
	if err != nil {
		return false
	}
	var f *pflag.Flag
	if name, long := strings.CutPrefix(prev, "--"); long {
		if f = cmd.Flag(name); f == nil {
			f = root.PersistentFlags().Lookup(name)
		}
	} else {
		last := prev[len(prev)-1:]
		if f = cmd.Flags().ShorthandLookup(last); f == nil {
			f = root.PersistentFlags().ShorthandLookup(last)
		}
	}
	return f != nil && f.NoOptDefVal == ""
}

func Unmark(args []string) []string {
	plain := make([]string, len(args))
	for i, arg := range args {
		plain[i] = strings.TrimPrefix(arg, Mark)
	}
	return plain
}

// wantsJSON looks for --json before the flags are parsed, for the errors of that.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}

// CheckFile refuses words that can't name a file.
func CheckFile(name string) error {
	switch {
	case name == "":
		return Usagef("the name of a file is empty")
	case name == "-":
		return Usagef("- is standard input, and that is no file to keep").WithHint("a file of that name is ./-")
	case strings.Contains(name, "\x00"):
		return Invalidf("%s: a file's name can't hold a NUL", QuoteWord(name))
	}
	return nil
}

func CheckFiles(names []string) error {
	for _, name := range names {
		if err := CheckFile(name); err != nil {
			return err
		}
	}
	return nil
}

// Misspelt are the errors, "no", of paths that are not there, and neither are nor hold
// a tracked file that has gone.
func Misspelt(paths []string, tracked func(path string) bool) error {
	var errs []error
	for _, path := range paths {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && !tracked(path) {
			errs = append(errs, &Error{Exit: ExitNo, Msg: QuoteWord(path) + ": no such file", Hint: hintOfName(path)})
		}
	}
	return Several(errs...)
}
