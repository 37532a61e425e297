//go:build !linux

package fsys

func adviseHuge([]byte) {}
