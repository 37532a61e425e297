package fsys

import (
	"errors"
	"path/filepath"
	"strings"
)

// metaDir is the directory in which jtx keeps what is its own. It may come from
// strangers, in a git repository or an archive, or somebody may have put something into
// it since. So from this name on OS follows no symbolic link, in no call, and opens
// only regular files and directories.
const metaDir = ".jtx"

// ErrPlanted is returned for a name below .jtx that leads through a symbolic link, or
// to something that jtx never puts there.
var ErrPlanted = errors.New("jtx has not put this here")

// plantedError says what stands there.
type plantedError struct {
	what string
	err  error // of the system
}

func (e *plantedError) Error() string   { return ErrPlanted.Error() + ": " + e.what }
func (e *plantedError) Unwrap() []error { return []error{ErrPlanted, e.err} }

// beneath splits a name at its first .jtx: the directory that has it, and the rest.
// It is not ok for all other names.
func beneath(name string) (root, rest string, ok bool) {
	for at := 0; ; {
		i := strings.Index(name[at:], metaDir)
		if i < 0 {
			return "", "", false
		}
		from, to := at+i, at+i+len(metaDir)
		if (from == 0 || isSeparator(name[from-1])) && (to == len(name) || isSeparator(name[to])) {
			return filepath.Clean(name[:from] + "."), name[from:], true
		}
		at = to
	}
}

func isSeparator(c byte) bool { return c == '/' || c == filepath.Separator }

// within is beneath for what is in .jtx, not that itself.
func within(name string) (root, rest string, ok bool) {
	root, rest, ok = beneath(name)
	return root, rest, ok && len(rest) > len(metaDir)
}
