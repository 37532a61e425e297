package lockmgr

// Seen is which files of the machine were locked at one moment: what can be told of very
// many without a look at each. The zero value knows nothing.
type Seen struct {
	known  bool
	locked map[uint64]bool // by the number of the inode, on whatever device
}

// Free tells that nobody had a lock file with this inode locked, or waited for it. False
// says nothing: [Manager.Probe] tells then.
func (s Seen) Free(ino uint64) bool { return s.known && !s.locked[ino] }
