//go:build !unix

package txn

import "io/fs"

func ownerOf(fs.FileInfo) (int, bool) { return -1, false }
func groupOf(fs.FileInfo) (int, bool) { return -1, false }
func linksOf(fs.FileInfo) int         { return 1 }
