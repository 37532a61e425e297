//go:build !unix

package main

import (
	"os/exec"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// become runs another program with this one's streams and signals, and ends with its
// exit code.
func become(a *cli.App, file string, args, env []string) error {
	c := exec.Command(file, args...)
	c.Stdin, c.Stdout, c.Stderr, c.Env = a.Stdin, a.Stdout, a.Stderr, env
	return a.RunChild(c)
}
