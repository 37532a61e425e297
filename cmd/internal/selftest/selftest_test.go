package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// The test binary is the processes of the checks, honest or lying ones.
const childJob, childLies = "JTX_SELFTEST_JOB", "JTX_SELFTEST_LIES"

func TestMain(m *testing.M) {
	text := os.Getenv(childJob)
	if text == "" {
		os.Exit(m.Run())
	}
	do := func() error { return Child(context.Background(), text, os.Stdin, os.Stdout) }
	if os.Getenv(childLies) != "" {
		do = func() error { return lie(text) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// lie does as a jtx would on a machine that breaks what it assumes.
func lie(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	switch j.What {
	case "hold":
		fmt.Println("held")
		time.Sleep(time.Minute)
	case "pair":
		s, err := txn.Open(j.Dir, txn.Options{})
		if err != nil {
			return err
		}
		for n := range 1000 {
			file := pairFiles[n%2]
			if _, err := s.Do(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/n", n) }); err != nil {
				return err
			}
			fmt.Println(n)
		}
	case "increment":
		fmt.Println(3)
		return txn.Do([]string{j.Dir + "/" + counterFile}, func(tx *txn.Tx) error { return tx.Set(j.Dir+"/"+counterFile, "/n", 3) })
	case "transfer":
		fmt.Println(1)
		file := j.Dir + "/" + accountFile(0)
		return txn.Do([]string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/balance", 0) })
	}
	return nil
}

func options(t *testing.T, lies string) Options {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Dir: t.TempDir(), Time: 200 * time.Millisecond,
		Child: func(job string) (*exec.Cmd, error) {
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), childJob+"="+job, childLies+"="+lies)
			return cmd, nil
		},
	}
}

func failed(r Report) []string {
	var names []string
	for _, c := range r.Checks {
		if c.Verdict == Failed {
			names = append(names, c.Name)
		}
	}
	return names
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestRun(t *testing.T) {
	o := options(t, "")
	steps := 0
	o.Progress = func(done, total int, _ string) {
		steps++
		if done != steps || total != len(checks) {
			t.Errorf("progress: %d of %d, the %dth time", done, total, steps)
		}
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Checks) != len(checks) || steps != len(checks) || r.Failed() > 0 {
		t.Errorf("%+v", r)
	}
	empty(t, o.Dir)
}

// A self-test that could not fail would be worth nothing.
func TestRunFindsWhatIsWrong(t *testing.T) {
	o := options(t, "yes")
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"locks", "kill -9", "workers", "several files"}; !slices.Equal(failed(r), want) {
		t.Errorf("failed: %q, expected %q\n%+v", failed(r), want, r)
	}
	if r.Failed() != 4 {
		t.Errorf("%d failed", r.Failed())
	}
	empty(t, o.Dir)
}

// A workspace that covers the directory must not hear of the files.
func TestRunInsideAWorkspace(t *testing.T) {
	o := options(t, "")
	s, err := txn.Open(o.Dir, txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Init(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	st, err := admin.Status(t.Context(), s, nil)
	if err != nil || len(st.Files) > 0 || len(st.Workspaces) != 1 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestRunIsCancelled(t *testing.T) {
	o := options(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int, _ string) {
		if done == 2 {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	empty(t, o.Dir)
}

func TestRunWhereNothingCanBeMade(t *testing.T) {
	o := options(t, "")
	o.Dir += "/nowhere"
	if _, err := Run(t.Context(), o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestChildRefusesUnknownJobs(t *testing.T) {
	for _, text := range []string{"", "{", `{"what": "nothing"}`} {
		if err := Child(t.Context(), text, os.Stdin, os.Stdout); err == nil {
			t.Errorf("%q was taken for a job", text)
		}
	}
}
