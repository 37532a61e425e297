//go:build !linux && !darwin

package wal

func systemBootID() (id [16]byte, ok bool) { return id, false }
