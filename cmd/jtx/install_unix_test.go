//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInstall runs install.sh on a release in a directory: what is whole is installed,
// what was tampered with is not.
func TestInstall(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl, which can fetch from a directory, is not here")
	}
	script, err := filepath.Abs("../../install.sh")
	require.NoError(t, err)
	releases := t.TempDir()
	release := filepath.Join(releases, "download", "v0.1.0")
	in := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(in, "share", "man", "man1"), 0o755))
	require.NoError(t, os.MkdirAll(release, 0o755))
	for _, name := range []string{"jtx", "jtx-plus"} {
		writeFile(t, in, name, "#!/bin/sh\necho "+name+" v0.1.0\n")
	}
	writeFile(t, in, "share/man/man1/jtx.1", "a page\n")
	archive := fmt.Sprintf("jtx_0.1.0_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	tar := exec.Command("tar", "-czf", filepath.Join(release, archive), "-C", in, ".")
	require.NoError(t, tar.Run())
	text, err := os.ReadFile(filepath.Join(release, archive))
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	writeFile(t, release, "SHA256SUMS", hex.EncodeToString(sum[:])+"  "+archive+"\n"+hex.EncodeToString(sum[:])+"  jtx_0.1.0_plan9_mips.tar.gz\n")

	install := func(args ...string) (string, string, error) {
		prefix := filepath.Join(t.TempDir(), "a prefix")
		cmd := exec.Command("sh", append([]string{script}, args...)...)
		cmd.Env = append(os.Environ(), "PREFIX="+prefix, "JTX_RELEASES=file://"+releases)
		out, err := cmd.CombinedOutput()
		return prefix, string(out), err
	}

	prefix, out, err := install("v0.1.0")
	require.NoError(t, err, out)
	require.Contains(t, out, "jtx v0.1.0")
	require.FileExists(t, filepath.Join(prefix, "share/man/man1/jtx.1"))
	info, err := os.Stat(filepath.Join(prefix, "bin/jtx-plus"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm())

	prefix, out, err = install("v0.2.0")
	require.Error(t, err)
	require.Contains(t, out, "can't be fetched")
	require.NoDirExists(t, prefix)

	text[len(text)-1] ^= 1
	require.NoError(t, os.WriteFile(filepath.Join(release, archive), text, 0o600))
	prefix, out, err = install("v0.1.0")
	require.Error(t, err)
	require.Contains(t, out, "nothing was installed")
	require.NoDirExists(t, prefix)
}
