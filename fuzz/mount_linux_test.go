package fuzz

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/fuzz/killpoints"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

func init() {
	jobs["mount"] = childMount
	jobs["mounted"] = childMounted
}

const (
	mountSource = "source.json"
	mountTarget = "d/a.json"
)

// childMount mounts a file over another, which only this process sees, and becomes
// the process that works there.
func childMount(dir, arg string) error {
	runtime.LockOSThread() // a namespace belongs to a thread, and the program takes over this one
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount(filepath.Join(dir, mountSource), filepath.Join(dir, mountTarget), "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := os.Setenv(childJob, "mounted"); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(exe, os.Args, os.Environ())
}

// childMounted works on the mounted file: "remove" must be refused, "recover" shows
// what is there then, anything else is set.
func childMounted(dir, arg string) error {
	w := &workload{files: []string{mountTarget}, real: true}
	world, err := w.open(fsys.OS, dir, 0)
	if err != nil {
		return err
	}
	switch arg {
	case "recover":
		if err := sweep(world.store, dir); err != nil {
			return err
		}
		if err := verify(world.store, dir); err != nil {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, mountTarget))
		fmt.Print(string(data))
		return err
	case "remove":
		if err := remove(mountTarget)(world); !errors.Is(err, txn.ErrInvalid) {
			return fmt.Errorf("remove: %v, expected %v", err, txn.ErrInvalid)
		}
		return nil
	}
	err = put(arg, mountTarget)(world)
	if err == nil {
		fmt.Print(answerDone)
	}
	return err
}

// runMounted runs a job under a mount and returns what it printed.
func runMounted(t *testing.T, dir, arg string) string {
	out, err := child("mount", dir, arg).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%s: %v: %s", arg, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// mountable is a directory with a file to mount and one to mount it over.
func mountable(t *testing.T, text string) string {
	dir := scratch(t)
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{mountSource: text, mountTarget: "{}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMountedFile: a file that can't be renamed over is written in place, its
// process is killed at every call, and the file is whole again after recovery.
func TestMountedFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may mount")
	}
	probe := mountable(t, small)
	if out, err := child("mount", probe, "recover").CombinedOutput(); err != nil {
		t.Skipf("no mounts here: %v: %s", err, out)
	}
	runMounted(t, probe, big(2))
	runMounted(t, probe, "remove")
	if got := runMounted(t, probe, "recover"); got != big(2) {
		t.Fatalf("the file is %.60q", got)
	}
	runs := killpoints.InjectEach(t, killpoints.Plan{}, func(p *killpoints.Plan) (*exec.Cmd, func(killpoints.Result) error) {
		dir := mountable(t, small)
		runMounted(t, dir, big(1))
		p.Under = dir
		return child("mount", dir, big(22)), func(r killpoints.Result) error {
			got := runMounted(t, dir, "recover")
			switch done := strings.Contains(r.Stdout, answerDone); {
			case got != big(1) && got != big(22):
				return fmt.Errorf("the file is %.60q", got)
			case done && got != big(22):
				return errors.New("it said that it was done")
			}
			return nil
		}
	})
	t.Logf("%d runs", runs)
}
