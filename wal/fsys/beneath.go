package fsys

import (
	"errors"
	"path/filepath"
	"strconv"
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
		from, to := at+i, at+i
		for to < len(name) && !isSeparator(name[to]) {
			to++
		}
		if (from == 0 || isSeparator(name[from-1])) && IsMeta(name[from:to]) {
			return filepath.Clean(name[:from] + "."), name[from:], true
		}
		at = from + len(metaDir)
	}
}

// IsMeta tells whether a directory of that name has what is jtx's own: .jtx or, in a
// sticky directory, .jtx.UID, perhaps with a number behind it.
func IsMeta(name string) bool {
	rest, ok := strings.CutPrefix(name, metaDir)
	if !ok || rest == "" {
		return ok
	}
	for part := range strings.SplitSeq(rest[1:], ".") {
		if _, err := strconv.ParseUint(part, 10, 32); err != nil {
			return false
		}
	}
	return rest[0] == '.'
}

func isSeparator(c byte) bool { return c == '/' || c == filepath.Separator }

// within is beneath for what is in .jtx, not that itself.
func within(name string) (root, rest string, ok bool) {
	root, rest, ok = beneath(name)
	return root, rest, ok && strings.ContainsFunc(rest, func(r rune) bool { return r < 0x80 && isSeparator(byte(r)) })
}
