package fsys

import (
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// syncFile does nothing for a directory: FlushFileBuffers wants a handle that may
// write, and there is none of a directory. NTFS logs its names.
func syncFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return err
	}
	return f.Sync()
}

const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// openPlain is os.OpenFile with one more permission to others: to rename over what is
// open here, or remove it.
func openPlain(name string, flag int, _ fs.FileMode) (*os.File, error) {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	h, err := windows.CreateFile(path, accessOf(flag), shareAll, nil, creationOf(flag), windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

func accessOf(flag int) uint32 {
	access := uint32(windows.GENERIC_READ)
	switch flag & (os.O_WRONLY | os.O_RDWR) {
	case os.O_WRONLY:
		access = windows.GENERIC_WRITE
	case os.O_RDWR:
		access |= windows.GENERIC_WRITE
	}
	if flag&os.O_APPEND != 0 {
		// To append is all that may be written, whatever the offset.
		access = access&^windows.GENERIC_WRITE | windows.FILE_APPEND_DATA | windows.FILE_WRITE_ATTRIBUTES | windows.SYNCHRONIZE
	}
	return access
}

func creationOf(flag int) uint32 {
	switch {
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return windows.CREATE_NEW
	case flag&(os.O_CREATE|os.O_TRUNC) == os.O_CREATE|os.O_TRUNC:
		return windows.CREATE_ALWAYS
	case flag&os.O_CREATE != 0:
		return windows.OPEN_ALWAYS
	case flag&os.O_TRUNC != 0:
		return windows.TRUNCATE_EXISTING
	}
	return windows.OPEN_EXISTING
}

// renameInfo is FILE_RENAME_INFO (winbase.h), with room for the longest name.
type renameInfo struct {
	flags  uint32
	_      windows.Handle
	length uint32 // of name, in bytes
	name   [windows.MAX_LONG_PATH]uint16
}

const (
	renameReplace = 0x1 // FILE_RENAME_REPLACE_IF_EXISTS
	renamePOSIX   = 0x2 // FILE_RENAME_POSIX_SEMANTICS: also over what is open
)

// renamePlain is os.Rename, also over a file that somebody has open, where those who
// have it open let it be removed, as jtx does. Before Windows 10 1709, and on other
// file systems than NTFS, it is os.Rename.
func renamePlain(oldname, newname string) error {
	if err := renameOver(oldname, newname); err != nil {
		return os.Rename(oldname, newname)
	}
	return nil
}

func renameOver(oldname, newname string) error {
	path, err := windows.UTF16PtrFromString(oldname)
	if err != nil {
		return err
	}
	to, err := windows.UTF16FromString(newname)
	if err != nil {
		return err
	}
	info := renameInfo{flags: renameReplace | renamePOSIX, length: uint32(2 * (len(to) - 1))}
	if copy(info.name[:], to) < len(to) {
		return windows.ERROR_FILENAME_EXCED_RANGE
	}
	h, err := windows.CreateFile(path, windows.DELETE|windows.SYNCHRONIZE, shareAll, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)
	return windows.SetFileInformationByHandle(h, windows.FileRenameInfoEx, (*byte)(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
}
