package killpoints

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// shape says where the arguments of a system call name what it changes.
type shape struct {
	name string
	// fd is the argument that is a descriptor of the file changed, or -1.
	fd int
	// paths are the arguments that are paths; at those before each that are a
	// directory's descriptor, or -1.
	paths, at []int
	// flags is the argument that holds open's flags, or -1.
	flags int
}

func onFD(name string, fd int) shape { return shape{name: name, fd: fd, flags: -1} }

func onPath(name string, at, path int) shape {
	return shape{name: name, fd: -1, paths: []int{path}, at: []int{at}, flags: -1}
}

func onPaths(name string, at1, path1, at2, path2 int) shape {
	return shape{name: name, fd: -1, paths: []int{path1, path2}, at: []int{at1, at2}, flags: -1}
}

func opens(name string, at, path, flags int) shape {
	s := onPath(name, at, path)
	s.flags = flags
	return s
}

// mutating is every call by which a program changes files or makes them durable.
// Locks and times are left out: nothing that matters depends on them.
var mutating = map[uint64]shape{
	unix.SYS_WRITE:           onFD("write", 0),
	unix.SYS_WRITEV:          onFD("writev", 0),
	unix.SYS_PWRITE64:        onFD("pwrite64", 0),
	unix.SYS_PWRITEV:         onFD("pwritev", 0),
	unix.SYS_PWRITEV2:        onFD("pwritev2", 0),
	unix.SYS_SENDFILE:        onFD("sendfile", 0),
	unix.SYS_SPLICE:          onFD("splice", 2),
	unix.SYS_COPY_FILE_RANGE: onFD("copy_file_range", 2),
	unix.SYS_FTRUNCATE:       onFD("ftruncate", 0),
	unix.SYS_FALLOCATE:       onFD("fallocate", 0),
	unix.SYS_FSYNC:           onFD("fsync", 0),
	unix.SYS_FDATASYNC:       onFD("fdatasync", 0),
	unix.SYS_SYNC_FILE_RANGE: onFD("sync_file_range", 0),
	unix.SYS_FCHMOD:          onFD("fchmod", 0),
	unix.SYS_FCHOWN:          onFD("fchown", 0),
	unix.SYS_FSETXATTR:       onFD("fsetxattr", 0),
	unix.SYS_FREMOVEXATTR:    onFD("fremovexattr", 0),
	unix.SYS_TRUNCATE:        onPath("truncate", -1, 0),
	unix.SYS_CREAT:           onPath("creat", -1, 0),
	unix.SYS_OPEN:            opens("open", -1, 0, 1),
	unix.SYS_OPENAT:          opens("openat", 0, 1, 2),
	unix.SYS_MKDIR:           onPath("mkdir", -1, 0),
	unix.SYS_MKDIRAT:         onPath("mkdirat", 0, 1),
	unix.SYS_RMDIR:           onPath("rmdir", -1, 0),
	unix.SYS_UNLINK:          onPath("unlink", -1, 0),
	unix.SYS_UNLINKAT:        onPath("unlinkat", 0, 1),
	unix.SYS_RENAME:          onPaths("rename", -1, 0, -1, 1),
	unix.SYS_RENAMEAT:        onPaths("renameat", 0, 1, 2, 3),
	unix.SYS_RENAMEAT2:       onPaths("renameat2", 0, 1, 2, 3),
	unix.SYS_LINK:            onPaths("link", -1, 0, -1, 1),
	unix.SYS_LINKAT:          onPaths("linkat", 0, 1, 2, 3),
	unix.SYS_SYMLINK:         onPath("symlink", -1, 1),
	unix.SYS_SYMLINKAT:       onPath("symlinkat", 1, 2),
	unix.SYS_CHMOD:           onPath("chmod", -1, 0),
	unix.SYS_FCHMODAT:        onPath("fchmodat", 0, 1),
	unix.SYS_CHOWN:           onPath("chown", -1, 0),
	unix.SYS_LCHOWN:          onPath("lchown", -1, 0),
	unix.SYS_FCHOWNAT:        onPath("fchownat", 0, 1),
	unix.SYS_SETXATTR:        onPath("setxattr", -1, 0),
	unix.SYS_LSETXATTR:       onPath("lsetxattr", -1, 0),
	unix.SYS_REMOVEXATTR:     onPath("removexattr", -1, 0),
}

// decode is the call that a stopped thread is about to make, where it is one
// that counts.
func decode(tid int, regs *unix.PtraceRegs, plan *Plan) (Call, bool) {
	sh, ok := mutating[regs.Orig_rax]
	if !ok {
		return Call{}, false
	}
	args := [...]uint64{regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8, regs.R9}
	const changing = unix.O_CREAT | unix.O_TRUNC
	if sh.flags >= 0 && args[sh.flags]&changing == 0 {
		return Call{}, false
	}
	call := Call{Name: sh.name}
	if sh.fd >= 0 {
		call.Path = fdPath(tid, int32(args[sh.fd]))
		if !strings.HasPrefix(call.Path, "/") || strings.HasPrefix(call.Path, "/dev/") && !strings.HasPrefix(call.Path, "/dev/shm/") {
			return Call{}, false
		}
	}
	for i, p := range sh.paths {
		path := pathArg(tid, args, sh.at[i], p)
		if i == 0 {
			call.Path = path
		} else {
			call.Path2 = path
		}
	}
	return call, plan.counts(call)
}

func (p *Plan) counts(c Call) bool {
	if p.Under != "" && !within(p.Under, c.Path) && !within(p.Under, c.Path2) {
		return false
	}
	if len(p.Calls) == 0 {
		return true
	}
	for _, name := range p.Calls {
		if name == c.Name {
			return true
		}
	}
	return false
}

func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

func fdPath(tid int, fd int32) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, fd))
	if err != nil {
		return ""
	}
	return path
}

// pathArg reads a path from the memory of the thread and makes it absolute.
func pathArg(tid int, args [6]uint64, at, p int) string {
	path := readString(tid, args[p])
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	dir := ""
	if at >= 0 && int32(args[at]) != unix.AT_FDCWD {
		dir = fdPath(tid, int32(args[at]))
	} else if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", tid)); err == nil {
		dir = cwd
	}
	return filepath.Join(dir, path)
}

// readString reads up to a NUL. It goes page by page: the next may not be mapped.
func readString(tid int, addr uint64) string {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", tid))
	if err != nil {
		return ""
	}
	defer mem.Close()
	var s []byte
	for len(s) < unix.PathMax {
		buf := make([]byte, 4096-addr%4096)
		n, err := mem.ReadAt(buf, int64(addr))
		if end := bytes.IndexByte(buf[:n], 0); end >= 0 {
			return string(append(s, buf[:end]...))
		}
		if err != nil {
			break
		}
		s = append(s, buf[:n]...)
		addr += uint64(n)
	}
	return string(s)
}
