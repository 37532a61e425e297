package selftest

// fsType is what is known of a type of file system.
type fsType struct {
	name string
	// limit is what can't be promised on it, empty where nothing.
	limit string
	// memory: nothing on it is on a disk, so that an fsync has nothing to do.
	memory bool
}

const (
	limitNetwork = "on a network: locks and fsync are what the server and the mount options make of them; let one machine at a time use jtx here"
	limitFuse    = "locks and fsync are what the program behind it makes of them"
	limitMemory  = "kept in memory: nothing survives a reboot, at any durability"
	limitOverlay = "as durable as its upper layer; with the mount option volatile, fsync does nothing"
	limitFAT     = "it has no log: a power cut can damage the file system itself"
)

func (r *run) fileSystem() (Verdict, string, error) {
	if r.fs.limit != "" {
		return Limited, r.fs.name + ": " + r.fs.limit, nil
	}
	return OK, r.fs.name, nil
}

// FileSystem is the type of the file system of a directory, "unknown" where nobody
// says.
func FileSystem(dir string) string { return typeOf(dir).name }
