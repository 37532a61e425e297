//go:build !linux && !darwin

package fsys

import (
	"io/fs"
)

func fileIDOf(info fs.FileInfo) FileID { return plainFileID(info) }

func (osFS) StatID(name string) (FileID, error)  { return statID(OS.Stat, name) }
func (osFS) LstatID(name string) (FileID, error) { return statID(OS.Lstat, name) }

func statID(stat func(string) (fs.FileInfo, error), name string) (FileID, error) {
	info, err := stat(name)
	return FileIDOf(info), err
}
