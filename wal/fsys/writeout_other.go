//go:build !linux

package fsys

func startWriteOut(File, int64, int64) error { return nil }
