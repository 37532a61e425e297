//go:build !unix

package workspace

import "io/fs"

func ownerOf(fs.FileInfo) (int, bool) { return -1, false }
func GroupOf(fs.FileInfo) (int, bool) { return -1, false }
func LinksOf(fs.FileInfo) int         { return 1 }
