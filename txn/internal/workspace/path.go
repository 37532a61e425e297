package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal/fsys"
)

// maxLinks bounds the symbolic links in a row, as the kernel does.
const maxLinks = 40

// RealPath follows every symbolic link in name. The file itself need not exist,
// its directory must.
func RealPath(fsy fsys.FS, name string) (string, error) {
	for range maxLinks {
		if fsys.IsHere(name) {
			return name, nil
		}
		dir, err := RealDir(filepath.Dir(name))
		if err != nil {
			return "", err
		}
		name = filepath.Join(dir, filepath.Base(name))
		info, err := fsy.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			dir, err := spelt(fsy, dir)
			return filepath.Join(dir, filepath.Base(name)), err
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return spelt(fsy, name)
		}
		// A link of /proc, as /dev/stdin and the shell's <( ) lead to, names what has no name.
		if info, err := fsy.Stat(name); err == nil && !info.Mode().IsRegular() {
			return "", fmt.Errorf("%w: %s", recovery.ErrNotRegular, kindOf(info.Mode()))
		}
		link, err := fsy.Readlink(name)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(dir, link)
		}
		name = link
	}
	return "", &fs.PathError{Op: "resolve", Path: name, Err: syscall.ELOOP}
}

// spelt is a name as its directories spell it, where they don't tell case apart: so
// that all names of one file are one. Where they do, the name in the other case is
// looked for in vain, or is another file.
func spelt(fsy fsys.FS, name string) (string, error) {
	dir, base := filepath.Dir(name), filepath.Base(name)
	other := otherCase(base)
	if dir == name || other == base {
		return name, nil
	}
	if _, err := fsy.Lstat(filepath.Join(dir, other)); err != nil {
		//lint:ignore nilerr there is no other name
		return name, nil // nearly always
	}
	entries, err := fsy.ReadDir(dir)
	if err != nil {
		return name, fault.UnlessMissing(err)
	}
	found := base
	for _, e := range entries {
		if e.Name() == base { // it is so spelt, or another file has the other name
			found = base
			break
		}
		if strings.EqualFold(e.Name(), base) {
			found = e.Name()
		}
	}
	dir, err = spelt(fsy, dir)
	return filepath.Join(dir, found), err
}

// otherCase turns upper case into lower, and lower into upper.
func otherCase(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, name)
}

// RealDir follows the symbolic links of a directory as far as it is there: a
// tracked file whose directory was deleted still has its journal.
func RealDir(dir string) (string, error) {
	real, err := fsys.EvalSymlinks(dir)
	if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
		return real, err
	}
	parent, err := RealDir(filepath.Dir(dir))
	return filepath.Join(parent, filepath.Base(dir)), err
}

// maxEscaped is the longest escaped name, in bytes; a longer one becomes a hash. File
// systems allow 255, those that encrypt names some 140.
const maxEscaped = 120

// escape makes one file name of a path below a workspace: letters, digits and
// a few marks stay, every other byte is %XX. A result of more than maxEscaped
// bytes becomes %% and the SHA-256 of the path, and hashed is true.
func escape(rel string) (name string, hashed bool) {
	var b strings.Builder
	for i := 0; i < len(rel); i++ {
		if c := rel[i]; plain(c) && (c != '.' || i > 0) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= maxEscaped {
		return b.String(), false
	}
	sum := sha256.Sum256([]byte(rel))
	return "%%" + hex.EncodeToString(sum[:]), true
}

func plain(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("._-+=, ", c) >= 0
}

// unescape is the inverse of escape for a name that is not hashed.
func unescape(name string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		if i+3 > len(name) {
			return "", fmt.Errorf("%q: not an escaped path", name)
		}
		raw, err := hex.DecodeString(name[i+1 : i+3])
		if err != nil {
			return "", fmt.Errorf("%q: not an escaped path", name)
		}
		b.WriteByte(raw[0])
		i += 2
	}
	return b.String(), nil
}

// ValidRel tells whether a path read from a journal stays below its workspace.
func ValidRel(rel string) bool {
	name := filepath.FromSlash(rel)
	return rel != "" && filepath.IsLocal(name) && filepath.Clean(name) == name
}

// Abs is the path of a file that the caller named.
func (s *Site) Abs(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(s.Dir, name)
}

// Names tells whether name leads to path, which is absolute and clean, as abs does.
func (s *Site) Names(name, path string) bool {
	at := len(path) - len(name)
	if at <= 0 || path[at:] != name {
		return at == 0 && path == name || s.Abs(name) == path
	}
	inDir := at == len(s.Dir)+1 && path[:at-1] == s.Dir && os.IsPathSeparator(path[at-1]) && !filepath.IsAbs(name)
	return inDir || s.Abs(name) == path
}

func (s *Site) AbsAll(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = s.Abs(name)
	}
	return all
}
