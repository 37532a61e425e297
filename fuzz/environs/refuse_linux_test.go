package environs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// refusals are the ways in which kernels, file systems and sandboxes lack a call.
// Without any of these jtx works all the same.
var refusals = []struct {
	calls  []string // together
	errnos []syscall.Errno
}{
	{calls: []string{"renameat2"}, errnos: []syscall.Errno{unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP, unix.EPERM}},
	{calls: []string{"renameat2", "linkat"}, errnos: []syscall.Errno{unix.EOPNOTSUPP, unix.EPERM}},
	{calls: []string{"statx"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EPERM}},
	{calls: []string{"statfs", "fstatfs"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EPERM}},
	{calls: []string{"openat2"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EPERM, unix.EINVAL}},
	{calls: []string{"fallocate"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EOPNOTSUPP, unix.EPERM}},
	{calls: []string{"fdatasync"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EINVAL, unix.EPERM}},
	{calls: []string{"sync_file_range"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EINVAL, unix.EPERM}},
	{calls: []string{"io_setup"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EPERM, unix.EAGAIN}},
	{calls: []string{"io_submit"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EPERM, unix.EINVAL}},
	{calls: []string{"lease"}, errnos: []syscall.Errno{unix.EINVAL, unix.EAGAIN, unix.EPERM}},
	{calls: []string{"listxattr", "getxattr", "fsetxattr"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EOPNOTSUPP}},
	{calls: []string{"fsetxattr"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EPERM, unix.EINVAL}},
	{calls: []string{"inotify"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EMFILE, unix.EPERM}},
	{calls: []string{"pidfd_open"}, errnos: []syscall.Errno{unix.ENOSYS, unix.EPERM}},
	{calls: []string{"madvise"}, errnos: []syscall.Errno{unix.EINVAL}},
}

func refusingCalls(calls []string, errno syscall.Errno) func(*exec.Cmd) {
	var all []refusal
	for _, c := range calls {
		all = append(all, refusal{c, errno})
	}
	return func(cmd *exec.Cmd) { refusing(cmd, all...) }
}

func needsSeccomp(t *testing.T) {
	t.Helper()
	cmd := exec.Command("/bin/true")
	refusing(cmd, refusal{"fallocate", unix.ENOSYS})
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no seccomp filters here: %v: %s", err, out)
	}
}

// TestRefusedCalls: each call in turn is refused to every verb, which does what it
// always does.
func TestRefusedCalls(t *testing.T) {
	needsSeccomp(t)
	want := onPlainDisk(t)
	for _, r := range refusals {
		for i, errno := range r.errnos {
			if i > 0 && !*all {
				break
			}
			t.Run(refusal{r.calls[len(r.calls)-1], errno}.String(), func(t *testing.T) {
				p := newPlace(t)
				p.wrap = refusingCalls(r.calls, errno)
				asUsual(t, p, want)
			})
		}
	}
}

// TestNoLocks: without flock nothing can be promised, and nothing is done.
func TestNoLocks(t *testing.T) {
	needsSeccomp(t)
	for _, errno := range []syscall.Errno{unix.ENOLCK, unix.ENOSYS, unix.EOPNOTSUPP} {
		t.Run(unix.ErrnoName(errno), func(t *testing.T) {
			p := newPlace(t)
			for _, s := range steps {
				p.step(t, s)
			}
			p.wrap = refusingCalls([]string{"flock"}, errno)
			nothingChanges(t, p)
		})
	}
}

// TestLostACL: where a file's access control list can't be kept, its group does not get
// what that gave to somebody.
func TestLostACL(t *testing.T) {
	needsSeccomp(t)
	for _, c := range []string{"fsetxattr", "listxattr"} {
		t.Run(c, func(t *testing.T) {
			p := newPlace(t)
			name := filepath.Join(p.dir, "a.json")
			if err := os.WriteFile(name, []byte("{}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			acl := []byte{2, 0, 0, 0}
			for _, entry := range [][3]byte{{1, 6, 0xff}, {2, 6, 1}, {4, 0, 0xff}, {0x10, 6, 0xff}, {0x20, 0, 0xff}} {
				id := bytes.Repeat([]byte{entry[2]}, 4)
				if entry[0] == 2 { // a user
					id = []byte{entry[2], 0, 0, 0}
				}
				acl = append(append(acl, entry[0], 0, entry[1], 0), id...)
			}
			if err := unix.Setxattr(name, "system.posix_acl_access", acl, 0); err != nil {
				t.Skipf("no lists here: %v", err)
			}
			p.wrap = refusingCalls([]string{c}, unix.EPERM)
			o := p.run(t, `jtx set a.json /v 1`)
			if o.exit != 0 || !strings.Contains(o.stderr, "could not be kept") {
				t.Errorf("exit code %d: %s", o.exit, o.stderr)
			}
			if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		})
	}
}
