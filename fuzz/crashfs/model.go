package crashfs

// Model says which disk states may be found after a crash.
type Model struct {
	Name string
	// NothingLost: the process died, the machine went on.
	NothingLost bool
	// OrderedNames: changes of names persist as a prefix of their order.
	OrderedNames bool
	// OrderedData: growth of a file persists as a prefix of its order, and
	// nothing persists of what was written after a truncation that did not.
	OrderedData bool
	// Zeros: a file may have grown without the data, which reads as zeros.
	Zeros bool
	// Garbage: unsynced ranges may hold anything, and tear at any byte.
	Garbage bool
	// HalfExchange: an exchange may leave one inode under both names. Each name
	// then has the old file or the new one, but one file is gone.
	HalfExchange bool
}

// The models, from the strictest file system to the weakest.
var (
	Kill  = Model{Name: "kill", NothingLost: true}
	Ext4  = Model{Name: "ext4", OrderedNames: true, OrderedData: true}
	XFS   = Model{Name: "xfs", OrderedNames: true, Zeros: true}
	POSIX = Model{Name: "posix", Zeros: true, Garbage: true, HalfExchange: true}
)

// AllModels is what Explore tries where it is not told otherwise.
func AllModels() []Model { return []Model{Kill, Ext4, XFS, POSIX} }

// fate is what became of one undurable operation on a file.
type fate uint8

const (
	fateLost    fate = iota
	fateKept         // whole
	fateTorn         // the front of it
	fateTail         // the end of it
	fateSectors      // some sectors or pages of it
	fateZeros
	fateGarbage
)

var fateNames = [...]string{"lost", "kept", "torn", "only its end kept", "kept in some sectors", "zeros", "garbage"}

// fates lists what may become of an operation: the worst first, the best second.
func (m Model) fates(op *fileOp) []fate {
	fates := []fate{fateLost, fateKept}
	if op.truncate || len(op.data) == 0 {
		return fates
	}
	fates = append(fates, fateTorn)
	if !op.grows || m.Zeros {
		fates = append(fates, fateSectors)
	}
	if m.Zeros && (op.grows || m.Garbage) {
		fates = append(fates, fateZeros)
	}
	if m.Garbage {
		fates = append(fates, fateTail, fateGarbage)
	}
	return fates
}

// nameFates lists which parts of a change of names may have persisted, as bit
// sets: nothing first, all of it second.
func (m Model) nameFates(op *nameOp) []uint8 {
	all := uint8(1)<<len(op.parts) - 1
	fates := []uint8{0, all}
	if m.OrderedNames || len(op.parts) == 1 || op.kind == kindDir {
		return fates
	}
	const first, second = 1, 2
	switch {
	case op.exchange && op.sameDir() && !m.HalfExchange:
		return fates
	case op.exchange:
		return append(fates, first, second)
	case op.sameDir():
		return append(fates, first) // the new name beside the old one
	}
	return append(fates, first, second)
}
