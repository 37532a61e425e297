//go:build jtxcrash

package fsys

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var steps atomic.Int64

// Step kills the process, as kill -9 does, where $JTX_CRASH_AT is its name or
// the number of steps so far, and appends its name to the file $JTX_CRASH_TRACE.
func Step(name string) {
	n := steps.Add(1)
	trace(name)
	if at := os.Getenv("JTX_CRASH_AT"); at == name || at == strconv.FormatInt(n, 10) {
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			panic(err)
		}
		select {}
	}
}

func trace(name string) {
	path := os.Getenv("JTX_CRASH_TRACE")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.TrimSpace(name) + "\n"); err != nil {
		panic(err)
	}
}
