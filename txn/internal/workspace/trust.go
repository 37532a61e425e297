package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrUntrusted is returned when a .jtx directory was made by somebody who might
// want the caller to read or write what they choose.
var ErrUntrusted = errors.New("belongs to somebody else")

// maxMetaNames bounds the names that are tried where somebody else has taken one.
const maxMetaNames = 8

// MetaName is the name of the workspace's directory in dir for files of a user. In a
// sticky directory, where the users are kept from each other's files, each has their
// own: named by the owner of the file, so that a file has one, whoever uses it.
// Somebody who takes that name before they do only makes the name longer.
func (s *Site) MetaName(dir string, uid int) (string, error) {
	info, err := s.FS.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSticky == 0 || uid < 0 {
		return MetaDir, nil
	}
	if err != nil {
		return "", err
	}
	if s.ownedBy(filepath.Join(dir, MetaDir), uid) {
		return MetaDir, nil // made before the directory was sticky
	}
	own := MetaDir + "." + strconv.Itoa(uid)
	free := ""
	for i := range maxMetaNames {
		name := own
		if i > 0 {
			name += "." + strconv.Itoa(i)
		}
		_, err := s.FS.Lstat(filepath.Join(dir, name))
		switch {
		case err == nil && s.ownedBy(filepath.Join(dir, name), uid):
			return name, nil
		case errors.Is(err, fs.ErrNotExist) && free == "":
			free = name
		}
	}
	if free == "" {
		free = own // which will not be trusted
	}
	return free, nil
}

func (s *Site) ownedBy(name string, uid int) bool {
	info, err := s.FS.Lstat(name)
	if err != nil {
		return false
	}
	owner, ok := ownerOf(info)
	return ok && owner == uid
}

// trusted refuses a workspace's directory that somebody else could have put there to
// make the caller read or write what they choose. It is false where there is none. In
// a sticky directory that of the user, whose files it is for, is trusted.
func (s *Site) trusted(dir, meta string, uid int) (there bool, err error) {
	info, err := s.FS.Lstat(meta)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return false, fmt.Errorf("%s: %w: it is a symbolic link, which jtx does not follow: put the directory itself there, or remove the link", meta, errNoDirectory)
	}
	if !info.IsDir() {
		return false, fmt.Errorf("%s: %w: jtx keeps its journals in a directory of this name: move the file away", meta, errNoDirectory)
	}
	owner, ok := ownerOf(info)
	if !ok || owner == 0 || owner == os.Geteuid() {
		return true, nil
	}
	parent, err := s.FS.Lstat(dir)
	if err != nil {
		return false, err
	}
	if parent.Mode()&fs.ModeSticky != 0 && owner == uid || mayHaveMade(info, parent) {
		return true, nil
	}
	return false, fmt.Errorf("%s: %w (uid %d)", meta, ErrUntrusted, owner)
}

var errNoDirectory = errors.New("not a directory")

// mayHaveMade tells whether the owner of a workspace could do any harm in its directory
// without it: the directory is theirs, or that of a group whose members may write
// there. What anybody could have put there says nothing.
func mayHaveMade(meta, dir fs.FileInfo) bool {
	const groupWrites, everybodyWrites = 0o020, 0o022
	owner, _ := ownerOf(meta)
	dirOwner, _ := ownerOf(dir)
	if dir.Mode()&fs.ModeSticky != 0 {
		return false
	}
	if owner == dirOwner {
		return true
	}
	group, _ := GroupOf(meta)
	dirGroup, _ := GroupOf(dir)
	return dir.Mode().Perm()&everybodyWrites == groupWrites && group == dirGroup
}

// userOf is the user whose workspace in a sticky directory has that name; -1 where it
// names none.
func userOf(metaName string) int {
	uid, _, _ := strings.Cut(strings.TrimPrefix(metaName, MetaDir+"."), ".")
	n, err := strconv.ParseUint(uid, 10, 32)
	if err != nil {
		return -1
	}
	return int(n)
}

// userOfMeta is the user whose files a workspace is for, by its directory.
func (s *Site) userOfMeta(meta string) int {
	if uid := userOf(filepath.Base(meta)); uid >= 0 {
		return uid
	}
	info, err := s.FS.Lstat(meta)
	if err != nil {
		return -1
	}
	uid, _ := ownerOf(info)
	return uid
}

// isNoCover tells whether an error of reading a workspace says that it covers nothing
// below its own directory: it is not trusted, not to be read, or none.
func isNoCover(err error) bool {
	var lost *lostError
	if errors.As(err, &lost) {
		return !lost.deep
	}
	return errors.Is(err, ErrUntrusted) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errNoDirectory)
}
