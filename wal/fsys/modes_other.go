//go:build !linux

package fsys

import "os"

func modeless(*os.File) bool { return false }
