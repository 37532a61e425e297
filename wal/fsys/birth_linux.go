package fsys

import (
	"time"

	"golang.org/x/sys/unix"
)

// Birth is when a file was made, the zero Time where the file system doesn't tell. A
// symbolic link is not followed.
func Birth(name string) time.Time {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, Reach(name), unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
}
