//go:build !unix

package cli

import "syscall"

// fromTerminal is always false where there are no process groups.
func fromTerminal(syscall.Signal) bool { return false }
