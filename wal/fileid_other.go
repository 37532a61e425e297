//go:build !linux && !darwin

package wal

import "io/fs"

func fileIDOf(info fs.FileInfo) FileID { return plainFileID(info) }
