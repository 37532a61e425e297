package killpoints

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary runs itself as the command that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("KILLPOINTS_DIR"); dir != "" {
		if err := replace(dir, os.Getenv("KILLPOINTS_WRONG") != ""); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(3)
		}
		fmt.Println("done")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// replace is a small program: it replaces a file from a new goroutine, so that
// its calls come from several threads.
func replace(dir string, inPlace bool) (err error) {
	var wg sync.WaitGroup
	wg.Go(func() {
		target := filepath.Join(dir, "f")
		if inPlace {
			err = os.WriteFile(target, []byte("new"), 0o600)
			return
		}
		temp := target + ".tmp"
		if err = os.WriteFile(temp, []byte("new"), 0o600); err == nil {
			err = os.Rename(temp, target)
		}
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	})
	wg.Wait()
	return err
}

func command(dir string, wrong bool) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "KILLPOINTS_DIR="+dir)
	if wrong {
		cmd.Env = append(cmd.Env, "KILLPOINTS_WRONG=1")
	}
	return cmd
}

// fresh is a directory with the old file.
func fresh(t *testing.T) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// whole says whether the file is the old or the new one, and whether the answer
// was true.
func whole(dir string, r Result) error {
	data, err := os.ReadFile(filepath.Join(dir, "f"))
	if err != nil {
		return err
	}
	switch isNew := string(data) == "new"; {
	case !isNew && string(data) != "old":
		return fmt.Errorf("the file is %q", data)
	case !isNew && strings.Contains(r.Stdout, "done"):
		return errors.New("it said that it was done")
	case isNew && r.Code == 3:
		return errors.New("it said that it was not done")
	}
	return nil
}

func TestInjectEach(t *testing.T) {
	for _, action := range []Action{Kill, Fail(syscall.EIO), Fail(syscall.ENOSPC), FailOnwards(syscall.ENOSPC)} {
		t.Run(action.String(), func(t *testing.T) {
			var chosen []string
			var ends []string
			runs := InjectEach(t, Plan{Action: action}, func(p *Plan) (*exec.Cmd, func(Result) error) {
				dir := fresh(t)
				p.Under = dir
				return command(dir, false), func(r Result) error {
					if r.Hit {
						chosen = append(chosen, r.Calls[r.At-1].Name)
					}
					ends = append(ends, fmt.Sprintf("%d/%d", r.Code, r.Signal))
					return whole(dir, r)
				}
			})
			end := "-1/9"
			want := []string{"openat", "write", "renameat"}
			if action != Kill {
				end = "3/0"
			}
			if len(chosen) < len(want) || !slices.Equal(chosen[:len(want)], want) {
				t.Errorf("the calls were %q, not %q", chosen, want)
			}
			if runs != len(ends) || ends[0] != end || ends[len(ends)-1] != "0/0" {
				t.Errorf("%d runs ended as %q", runs, ends)
			}
		})
	}
}

func TestInPlaceIsFound(t *testing.T) {
	if why := Unavailable(); why != "" {
		t.Skip(why)
	}
	for at := 1; ; at++ {
		dir := fresh(t)
		r, err := Run(command(dir, true), Plan{At: at, Under: dir})
		if err != nil {
			t.Fatal(err)
		}
		if whole(dir, r) != nil {
			return
		}
		if !r.Hit {
			t.Fatal("a kill between truncation and write was not found")
		}
	}
}

func TestTraceListsPaths(t *testing.T) {
	if why := Unavailable(); why != "" {
		t.Skip(why)
	}
	dir := fresh(t)
	cmd := exec.Command("sh", "-c", "cd \"$0\"; mkdir a; (echo x >a/b); mv a/b f; ln -s f g", dir)
	r, err := Trace(cmd, dir)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, c := range r.Calls {
		calls = append(calls, strings.ReplaceAll(c.String(), dir, "."))
	}
	for _, want := range []string{"(\"./a\")", "(\"./a/b\")", "(\"./a/b\", \"./f\")", "(\"./g\")"} {
		if !slices.ContainsFunc(calls, func(c string) bool { return strings.HasSuffix(c, want) }) {
			t.Errorf("no call ends in %s: %q", want, calls)
		}
	}
}

// TestTimeoutKillsEverything: the child process of the command too, or the run
// would wait for it.
func TestTimeoutKillsEverything(t *testing.T) {
	if why := Unavailable(); why != "" {
		t.Skip(why)
	}
	_, err := Run(exec.Command("sh", "-c", "sleep 1000 & wait"), Plan{Timeout: 50 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "no end within") {
		t.Fatalf("error %v", err)
	}
}
