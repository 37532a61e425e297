package fsys

// Need is a call that a directory's file system, or the kernel, doesn't do, and what
// is done in its place.
type Need struct {
	Call, Instead string
	Weaker        bool // something is not promised then
}
