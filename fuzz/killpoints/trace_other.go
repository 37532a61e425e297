//go:build !linux || !amd64

package killpoints

import (
	"errors"
	"os/exec"
	"runtime"
)

// Unavailable says why commands can't be traced here.
func Unavailable() string {
	return "killpoints: system calls are not traced on " + runtime.GOOS + "/" + runtime.GOARCH
}

func trace(*exec.Cmd, Plan) (Result, error) {
	return Result{}, errors.New(Unavailable())
}
