package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// roots are the directories that an agent may use, by their real paths.
type roots []string

func newRoots(dirs []string) (roots, error) {
	var all roots
	for _, dir := range dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		real, err := filepath.EvalSymlinks(abs)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, cli.Usagef("root %s: no such directory", cli.QuoteWord(dir))
		}
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(real); err != nil || !info.IsDir() {
			return nil, cli.Usagef("root %s: not a directory", cli.QuoteWord(dir))
		}
		all = append(all, real)
	}
	return all, nil
}

// file is the real path of a file that an agent names. It is what is used from then on,
// so that a link which is turned round meanwhile leads nowhere else.
func (r roots) file(name string) (string, error) {
	if err := cli.CheckFile(name); err != nil {
		return "", err
	}
	if strings.IndexFunc(name, unicode.IsControl) >= 0 {
		return "", cli.Invalidf("%s: a file's name with control characters", cli.QuoteWord(name))
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(r[0], path)
	}
	real, err := realPath(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	for _, root := range r {
		if rel, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(rel) {
			return real, nil
		}
	}
	return "", (&cli.Error{Exit: cli.ExitIO, Msg: fmt.Sprintf("%s is outside of what may be used here", cli.QuoteWord(name)), Err: fs.ErrPermission}).
		WithHint("the roots: %s", strings.Join(r, ", "))
}

// realPath resolves the links of a path whose end may not be there yet.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		return realPath(filepath.Clean(to)) // of a file that isn't there
	}
	dir := filepath.Dir(path)
	if dir == path {
		return path, nil
	}
	real, err = realPath(dir)
	return filepath.Join(real, filepath.Base(path)), err
}

func (r roots) files(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		file, err := r.file(name)
		if err != nil {
			return nil, err
		}
		all = append(all, file)
	}
	return all, nil
}
