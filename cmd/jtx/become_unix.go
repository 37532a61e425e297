//go:build unix

package main

import (
	"context"
	"os/exec"
	"syscall"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// become runs another program in the place of this one, so that signals, streams and
// the exit code are its own. It returns only where that fails.
func become(a *cli.App, file string, args, env []string) error {
	if a.Ctx.Err() != nil {
		return context.Cause(a.Ctx) // a signal that this program has caught already
	}
	err := syscall.Exec(file, append([]string{file}, args...), env)
	return cli.CannotStart(file, &exec.Error{Name: file, Err: err})
}
