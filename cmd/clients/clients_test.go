// Package clients holds the clients for other languages, and runs their tests.
package clients

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPython and TestNode run the clients' own tests with a jtx that is built here.
func TestPython(t *testing.T) {
	run(t, "python", "python3", "-W", "error::ResourceWarning", "-m", "unittest", "tests/test_jtx.py")
}

func TestNode(t *testing.T) { run(t, "node", "node", "--test", "test/jtx.test.js") }

func run(t *testing.T, dir string, command ...string) {
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skipf("no %s", command[0])
	}
	t.Parallel()
	jtx, err := built()
	require.NoError(t, err)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "JTX="+jtx, "PYTHONDONTWRITEBYTECODE=1")
	if testing.Short() {
		cmd.Env = append(cmd.Env, "JTX_INCREMENTS=10")
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

var (
	binaries string // a directory
	built    = sync.OnceValues(func() (string, error) {
		jtx := filepath.Join(binaries, "jtx")
		out, err := exec.Command("go", "build", "-buildvcs=false", "-o", jtx, "github.com/jtx-project/jtx/cmd/jtx").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return jtx, err
	})
)

func TestMain(m *testing.M) {
	var err error
	if binaries, err = os.MkdirTemp("", "jtx-clients-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(binaries)
	os.Exit(code)
}

// TestVersion: all clients have one version; package.py refuses to make packages of others.
func TestVersion(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3")
	}
	copied := t.TempDir()
	for _, name := range []string{"package.py", "node/package.json", "python/src/jtx/__init__.py"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(copied, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(copied, name), data, 0o644))
	}
	version := func(args ...string) (string, error) {
		cmd := exec.Command("python3", append([]string{"package.py"}, args...)...)
		cmd.Dir = copied
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := version("--version")
	require.NoError(t, err, out)
	out, err = version("--version", "7.8.9")
	require.NoError(t, err, out)
	require.Equal(t, "7.8.9\n", out)
	manifest := filepath.Join(copied, "node", "package.json")
	data, err := os.ReadFile(manifest)
	require.NoError(t, err)
	require.Contains(t, string(data), `"version": "7.8.9"`)
	require.NoError(t, os.WriteFile(manifest, bytes.Replace(data, []byte("7.8.9"), []byte("7.9.0"), 1), 0o644))
	for _, args := range [][]string{{"--version"}, {filepath.Join(copied, "out"), "linux-x64"}} {
		out, err = version(args...)
		require.Error(t, err)
		require.Contains(t, out, "the versions differ")
	}
}

// TestPackages installs what package.py makes for this platform, and runs it.
func TestPackages(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("packages are installed on linux-x64 only, and not in a short run")
	}
	for _, tool := range []string{"python3", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s", tool)
		}
	}
	dir, out := t.TempDir(), t.TempDir()
	sh := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-euc", script)
		cmd.Dir = dir
		// Without another jtx: what is installed must be enough.
		cmd.Env = append(os.Environ(), "OUT="+out, "JTX=")
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, string(text))
		return string(text)
	}
	make := exec.Command("python3", "package.py", out, "linux-x64")
	make.Env = append(os.Environ(), "JTX_BUILD_FLAGS=-buildvcs=false") // as the other tests build them: nothing is compiled twice
	text, err := make.CombinedOutput()
	require.NoError(t, err, string(text))

	sh(`npm init -y; npm install --offline --no-audit --no-fund --omit=optional "$OUT"/jtx-linux-x64-*.tgz "$OUT"/jtx-[0-9]*.tgz`)
	require.Contains(t, sh(`npx --no-install jtx version`), "jtx ")
	require.Contains(t, sh(`npx --no-install jtx mcp --read-only . </dev/null; npx --no-install jtx help mcp`), "Usage: jtx mcp")
	require.Contains(t, sh(`node --input-type=module -e "import { write, read } from 'jtx'; await write('a.json', { n: 1 }); console.log(await read('a.json'))"`), "{ n: 1 }")

	sh(`python3 -m venv v; v/bin/pip install -q --no-index "$OUT"/*.whl`)
	require.Contains(t, sh(`v/bin/jtx help mcp`), "Usage: jtx mcp")
	require.Contains(t, sh(`v/bin/python -c "import jtx; from safe_json_operations import *; safe_json_write('b.json', {'n': 1}); print(jtx.read('b.json'))"`), "{'n': 1}")
}
