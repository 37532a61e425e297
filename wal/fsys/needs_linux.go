package fsys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Needs tries, with files that it makes in dir, what jtx asks of a file system beyond
// what every one has, and lists what it must do in another way here. The exchange of
// two names is not among it: Exchange itself says whether there is one.
func Needs(dir string) ([]Need, error) {
	n := needs{dir: dir}
	n.renames()
	n.syncs()
	n.attributes()
	n.names()
	return n.list, n.err
}

type needs struct {
	dir  string
	list []Need
	err  error // an error other than of a refusal
}

// note lists what is needed where err says that a call was refused.
func (n *needs) note(err error, need Need) {
	switch {
	case Refused(err):
		n.list = append(n.list, need)
	case err != nil:
		n.err = errors.Join(n.err, err)
	}
}

// file makes a file.
func (n *needs) file(name string) string {
	path := filepath.Join(n.dir, name)
	n.note(os.WriteFile(path, nil, 0o600), Need{})
	return path
}

func (n *needs) renames() {
	free := filepath.Join(n.dir, "free")
	if err := renameat2(n.file("one"), free, unix.RENAME_NOREPLACE); Refused(err) {
		err := os.Link(filepath.Join(n.dir, "one"), free)
		n.note(unix.EINVAL, Need{Call: "renameat2 with RENAME_NOREPLACE", Instead: "a new name is a hard link first"})
		n.note(err, Need{Call: "hard links", Weaker: true,
			Instead: "a new name is looked for first: what another program makes of it in that instant may be lost"})
	} else {
		n.note(err, Need{})
	}
}

func (n *needs) syncs() {
	dir, err := os.Open(n.dir)
	if err != nil {
		n.err = errors.Join(n.err, err)
		return
	}
	defer dir.Close()
	if err := syncDirectly(dir, false); err != nil && refusesDir(dir, err) {
		if err := unix.Syncfs(int(dir.Fd())); err != nil {
			n.list = append(n.list, Need{Call: "fsync of a directory", Weaker: true,
				Instead: "nothing: after a power cut a plain reader may see an older content, and a new file may not be there, until jtx next touches it"})
			return
		}
		n.list = append(n.list, Need{Call: "fsync of a directory", Instead: "the whole file system is synced, which takes longer"})
	}
}

func (n *needs) attributes() {
	f, err := os.OpenFile(n.file("four"), os.O_RDWR, 0)
	if err != nil {
		n.err = errors.Join(n.err, err)
		return
	}
	defer f.Close()
	n.note(Lease(osFile{f}), Need{Call: "leases", Instead: "no file is kept to be written again, which takes longer"})
	n.note(f.Chmod(0o640), Need{Call: "modes of files", Instead: "all have the mode that the mount gives them"})
	if info, err := f.Stat(); err == nil && info.Mode().Perm() != 0o640 {
		n.list = append(n.list, Need{Call: "modes of files", Instead: "all have the mode that the mount gives them"})
	}
	if _, err := unix.Flistxattr(int(f.Fd()), nil); Refused(err) {
		n.list = append(n.list, Need{Call: "extended attributes", Instead: "there are none to keep"})
	}
	var st unix.Statx_t
	err = unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st)
	n.note(err, Need{Call: "statx", Instead: "a mount point shows itself when it is renamed over"})
	if _, err := unix.Openat2(unix.AT_FDCWD, n.dir, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}); Refused(err) {
		n.list = append(n.list, Need{Call: "openat2", Instead: "what is below .jtx is opened one directory after the other"})
	}
}

func (n *needs) names() {
	name := n.file("case")
	if one, err := os.Lstat(name); err == nil {
		other, err := os.Lstat(filepath.Join(n.dir, strings.ToUpper("case")))
		if err == nil && os.SameFile(one, other) {
			n.list = append(n.list, Need{Call: "names that tell case apart", Instead: "a file has the name as it is spelt in its directory"})
		}
	}
}
