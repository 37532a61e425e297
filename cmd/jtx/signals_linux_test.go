package main

// These tests look into /proc to see when a process waits.

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// signalled runs jtx, waits until it is ready, and sends it a signal. SIGPIPE is sent
// until it is heard: where nobody has asked for it yet Go ignores one that does not
// come of a write.
func signalled(t *testing.T, sig syscall.Signal, cmd *exec.Cmd, ready func(pid int) bool) (int, string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return ready(cmd.Process.Pid) }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(sig))
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for sig == syscall.SIGPIPE {
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
				_ = cmd.Process.Signal(sig) // it may be gone
			}
		}
	}()
	return codeOf(t, cmd.Wait()), stderr.String()
}

// watchesLease tells that the process waits for a lease to end: it watches its
// directory then.
func watchesLease(pid int) bool {
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return false
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.Contains(to, "inotify") {
			return true
		}
	}
	return false
}

// isRead tells that all that was written to a pipe has been read.
func isRead(pipe *os.File) func(int) bool {
	return func(int) bool {
		n, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ)
		return err == nil && n == 0
	}
}

func TestSignalsEndWaitsCleanly(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			dir := t.TempDir()
			file := writeFile(t, dir, "a.json", "{\"n\": 1}\n")
			require.NoError(t, jtx(t, dir, "begin", "--lock", "a.json").Run())
			r, w, err := os.Pipe()
			require.NoError(t, err)
			defer r.Close()
			defer w.Close()

			// For a lock.
			code, stderr := signalled(t, sig, jtx(t, dir, "set", "a.json", "/n", "2"), watchesLease)
			require.Equal(t, 128+int(sig), code, stderr)
			if sig != syscall.SIGPIPE {
				require.Equal(t, "error: ended by "+unix.SignalName(sig)+"; nothing was changed\n", stderr)
			}
			// For input.
			_, err = w.WriteString("{")
			require.NoError(t, err)
			put := jtx(t, dir, "put", "b.json", "-")
			put.Stdin = r
			code, _ = signalled(t, sig, put, isRead(r))
			require.Equal(t, 128+int(sig), code)

			data, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, "{\"n\": 1}\n", string(data))
			require.NoFileExists(t, filepath.Join(dir, "b.json"))
			left, err := filepath.Glob(filepath.Join(dir, ".jtx-*"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestRunForwardsSignals(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, dir, "a.json", "{\"n\": 1}\n")
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "jtx")))

	cmd := jtx(t, dir, "run", "a.json", "--", "sh", "-c", "./jtx set a.json /n 2; trap 'exit 9' TERM; touch ready; while :; do sleep 0.05; done")
	code, stderr := signalled(t, syscall.SIGTERM, cmd, func(int) bool {
		_, err := os.Stat(filepath.Join(dir, "ready"))
		return err == nil
	})
	require.Equal(t, 9, code)
	require.Empty(t, stderr)

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "{\"n\": 1}\n", string(data))
	out, err := jtx(t, dir, "set", "a.json", "/n", "3", "--lock-timeout", "0").CombinedOutput()
	require.NoError(t, err, string(out))
}
