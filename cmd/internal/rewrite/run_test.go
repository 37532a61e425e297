package rewrite

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// jtxDir builds jtx once, for the rewritten scripts to call.
var jtxDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jtx-rewrite")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "jtx"), "github.com/jtx-project/jtx/cmd/jtx").CombinedOutput()
	if err != nil {
		err = errors.New(string(out))
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := jtxDir(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// outcome is what a run of a script left behind.
type outcome struct {
	exit           int
	stdout, stderr string
	files          map[string]string // the JSON files, and every other but temporary ones
}

// runScript runs a script in a copy of the fixture that prepare has changed.
func runScript(t *testing.T, shell, text string, prepare func(dir string)) outcome {
	t.Helper()
	need(t, shell, "jq")
	bin, err := jtxDir()
	require.NoError(t, err)
	stubs, err := filepath.Abs("testdata/bin")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/fixture")))
	if prepare != nil {
		prepare(dir)
	}
	script := filepath.Join(t.TempDir(), "script.sh")
	require.NoError(t, os.WriteFile(script, []byte(text), 0o755))
	args := []string{script}
	if first, _, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "#!") && strings.HasSuffix(first, " -e") {
		args = []string{"-e", script}
	}
	cmd := exec.Command(shell, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+stubs+":"+bin+":"+os.Getenv("PATH"), "HOME="+dir, "TMPDIR="+t.TempDir(), "JTX_TX=")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	left, err := os.ReadDir(envOf(cmd.Env, "TMPDIR"))
	require.NoError(t, err)
	o := outcome{exit: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), files: filesIn(t, dir, strings.Contains(text, "\n# layout: exact\n"))}
	for _, e := range left {
		if cmd.ProcessState.Success() {
			o.files["TMPDIR/left"] += e.Name()[:3]
		}
	}
	return o
}

func envOf(env []string, name string) string {
	for _, e := range env[len(env)-4:] {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

func filesIn(t *testing.T, dir string, exact bool) map[string]string {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e != nil && e.Name() == ".jtx" {
				return filepath.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		if files[rel] = canonical(data); exact {
			files[rel] = string(data)
		}
		return err
	})
	require.NoError(t, err)
	return files
}

// canonical is a document in one layout, its members in their order, or the bytes of
// what is none.
func canonical(data []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return string(data)
	}
	return strings.TrimSpace(b.String())
}

// scenarios are the states of the files that scripts meet.
var scenarios = []struct {
	name    string
	prepare func(dir string)
}{
	{"whole", nil},
	{"broken", func(dir string) { os.WriteFile(filepath.Join(dir, "f.json"), []byte(`{"name": `), 0o644) }},
	{"missing", func(dir string) { os.Remove(filepath.Join(dir, "f.json")) }},
}

// compare runs both scripts in every scenario and shell that they are for.
func compare(t *testing.T, before, after string) {
	t.Helper()
	if before == after {
		return
	}
	shells := []string{"bash"}
	if !strings.HasPrefix(before, "#!/bin/bash") && !strings.HasPrefix(before, "#!/usr/bin/env bash") {
		shells = append(shells, "dash")
	}
	for _, shell := range shells {
		for i, sc := range scenarios {
			if i > 0 && (shell != "bash" || testing.Short()) {
				break
			}
			a := runScript(t, shell, before, sc.prepare)
			b := runScript(t, shell, after, sc.prepare)
			same(t, shell+", "+sc.name, a, b, sc.name)
		}
	}
}

// same demands equal files, output and exit codes. Where the original has left a
// target that is no JSON, which is what is to be mended, the new script must have
// kept what was there.
func same(t *testing.T, what string, a, b outcome, scenario string) {
	t.Helper()
	context := what + "\n--- stderr before\n" + a.stderr + "--- stderr after\n" + b.stderr
	if destroyed(a, scenario) {
		require.True(t, json.Valid([]byte(b.files["f.json"])) || b.files["f.json"] == `{"name": ` || scenario == "missing", context)
		return
	}
	if scenario == "broken" && a.exit == 0 && b.files["f.json"] == `{"name": ` && strings.Contains(b.stderr, "error: f.json") {
		return // jtx does not write over what it can't keep a version of
	}
	require.Equal(t, laterJQ(a.exit, scenario), laterJQ(b.exit, scenario), context+"\nexit codes")
	require.Equal(t, a.stdout, b.stdout, context)
	// What the original leaves of temporary files when it fails is of no use to
	// anybody; the new script leaves nothing that the original does not.
	for name, data := range b.files {
		require.Contains(t, a.files, name, context)
		require.Equal(t, a.files[name], data, context+name)
	}
	for name, data := range a.files {
		if strings.HasSuffix(name, ".json") && json.Valid([]byte(data)) {
			require.Equal(t, data, b.files[name], context+name)
		}
	}
}

// laterJQ is the exit code of jq 1.7 and later, and of jtx, for text that is no JSON: 5.
// jq 1.6 has 4, and 1.5 has 2.
func laterJQ(exit int, scenario string) int {
	if scenario == "broken" && exit == 4 {
		return 5
	}
	return exit
}

// destroyed tells whether the original spoilt the file.
func destroyed(o outcome, scenario string) bool {
	for name, data := range o.files {
		if !strings.HasSuffix(name, ".json") || json.Valid([]byte(data)) {
			continue
		}
		if name != "f.json" || scenario != "broken" || data != `{"name": ` {
			return true
		}
	}
	return false
}
