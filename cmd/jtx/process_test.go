package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// jtx is a command that runs this test binary as jtx in dir.
func jtx(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = "jtx"
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(dir, ".home"), "JTX_TX=", "XDG_STATE_HOME=")
	return cmd
}

func codeOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestClosedPipeIsSIGPIPE(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "a.json", "{\"n\": 1}\n")
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	defer w.Close()
	cmd := jtx(t, dir, "get", "a.json")
	cmd.Stdout = w
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.Equal(t, 141, codeOf(t, cmd.Run()))
	require.Empty(t, stderr.String())
}

// TestExamples runs the example of each verb's help, as it stands there.
func TestExamples(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	root := program.NewRoot(cli.NewApp(t.Context(), io.Discard, io.Discard), cli.AllVerbs)
	for _, cmd := range root.Commands() {
		if cmd.Hidden || cmd.DisableFlagParsing { // another program has it
			continue
		}
		t.Run(cmd.Name(), func(t *testing.T) {
			require.NotEmpty(t, cmd.Short)
			require.NotEmpty(t, cmd.Example)
			require.NotEmpty(t, cmd.GroupID)
			runExample(t, self, cmd)
		})
	}
}

func runExample(t *testing.T, self string, cmd *cobra.Command) {
	dir := t.TempDir()
	writeFile(t, dir, "config.json", "{\n  \"server\": {\"port\": 80, \"host\": \"localhost\"}\n}\n")
	writeFile(t, dir, "a.json", "{\"n\": 100}\n")
	writeFile(t, dir, "b.json", "{\"n\": 100}\n")
	writeFile(t, dir, "list.json", "[1, 2, 3]\n")
	writeFile(t, dir, "patch.json", `[{"op": "add", "path": "/x", "value": 1}]`)
	writeFile(t, dir, "deploy.sh", "jq '.n += 1' a.json > a.tmp && mv a.tmp a.json\n")
	bin := filepath.Join(dir, ".bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "jtx")))

	sh := exec.Command("sh", "-ec", cmd.Example)
	sh.Dir = dir
	sh.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+dir, "JTX_TX=", "XDG_STATE_HOME=")
	out, err := sh.CombinedOutput()
	require.NoError(t, err, string(out))
	require.False(t, strings.Contains(string(out), "error:"), string(out))
}
