package fsys

import "golang.org/x/sys/unix"

// identityWithBirth is false where the kernel or the file system doesn't tell when the
// file was made.
func identityWithBirth(f File) (Identity, bool) {
	const asked = unix.STATX_BTIME | unix.STATX_INO
	var st unix.Statx_t
	err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, asked, &st)
	if err != nil || st.Mask&asked != asked {
		return Identity{}, false
	}
	return Identity{
		Dev: unix.Mkdev(st.Dev_major, st.Dev_minor), Ino: st.Ino,
		Birth: st.Btime.Sec*1e9 + int64(st.Btime.Nsec),
	}, true
}
