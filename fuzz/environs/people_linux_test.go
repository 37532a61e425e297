package environs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const team = 4242

// passable lets everybody come as far as a directory of this test.
func passable(t *testing.T, dirs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may be somebody else")
	}
	for _, dir := range append(dirs, buildJtx(t)) {
		for at := dir; at != "/" && at != os.TempDir() && at != "/dev/shm"; at = filepath.Dir(at) {
			info, err := os.Stat(at)
			check(t, err)
			check(t, os.Chmod(at, info.Mode().Perm()|0o011))
		}
	}
	check(t, os.Chmod(buildJtx(t), 0o755))
}

func give(t *testing.T, name string, uid, gid int, mode os.FileMode) {
	t.Helper()
	check(t, os.Chown(name, uid, gid))
	check(t, os.Chmod(name, mode))
}

// TestTwoUsers: two members of a group work by turns in a directory of the group, each on
// what the other has made, and jtx does what it does for one.
func TestTwoUsers(t *testing.T) {
	want := onPlainDisk(t)
	p := newPlace(t)
	passable(t, p.dir, p.out)
	p.modeless = true // modes are such that the group may write, and stay so
	p.users = []user{{4243, team}, {4244, team}}
	give(t, p.dir, 4243, team, os.ModeSetgid|0o775)
	give(t, p.out, 4243, team, os.ModeSetgid|0o775)
	p.prelude = `umask 002; chmod() { test "$2" = a.json || command chmod "$@"; }
		trap 'command chmod -fR g+rX $OUT/saved || :' EXIT; ` // a backup is for whoever makes it
	asUsual(t, p, want)
}

// TestPrivateDirectory: in a directory that is its owner's alone, below a workspace that
// all may read, jtx does what it does elsewhere, and nobody else learns of it: no name, no
// value.
func TestPrivateDirectory(t *testing.T) {
	want := onPlainDisk(t)
	p := newPlace(t)
	passable(t, p.dir, p.out)
	root := p.dir
	owner := user{4243, 4243}
	p.users = []user{owner}
	for _, dir := range []string{root, p.out} {
		give(t, dir, 4243, 4243, 0o755)
	}
	if o := p.run(t, `umask 022; jtx init .; jtx set open.json /v 1; mkdir -m 700 private`); o.exit != 0 {
		t.Fatalf("exit code %d: %s", o.exit, o.stderr)
	}
	p.dir = filepath.Join(root, "private")
	asUsual(t, p, want)

	for _, secret := range []string{"private", "a.json", "secret-1"} {
		for _, path := range seenBy(t, user{4244, 4244}, root, secret) {
			if path != p.dir {
				t.Errorf("somebody else finds %q in %s", secret, path)
			}
		}
	}
}

// seenBy lists what somebody can find below a directory: names, and files, that contain a
// word.
func seenBy(t *testing.T, who user, dir, word string) []string {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `find "$1" -name "*$2*" 2>/dev/null; grep -rlF -e "$2" "$1" 2>/dev/null; true`, "sh", dir, word)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: who.uid, Gid: who.gid}}
	out, err := cmd.Output()
	check(t, err)
	return strings.Fields(string(out))
}
