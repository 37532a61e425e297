package crashfs

import (
	"fmt"
	"io/fs"
)

// NodeID names an inode within one log. It is never reused. The watched
// directory itself is rootID.
type NodeID int

const rootID NodeID = 1

// Op is the kind of an event.
type Op uint8

// The operations. Those on names change Dir and Name (and Dir2 and Name2), the
// others the inode Node.
const (
	OpCreate   Op = iota + 1 // Name is bound to Node, a new file or symbolic link
	OpMkdir                  // Name is bound to Node, a new directory
	OpLink                   // Name is bound to Node, which has another name
	OpRename                 // Name moves to Dir2, Name2
	OpExchange               // Name, bound to Node, and Name2, bound to Node2, are swapped
	OpUnlink                 // Name is unbound from Node
	OpRmdir                  // Name is unbound from Node, a directory
	OpWrite                  // Data at Off
	OpTruncate               // to Size
	OpAttr                   // mode and owner
	OpSync                   // fsync of a file or directory has returned
	OpDatasync               // fdatasync has returned
	OpPoint                  // a mark of the test, in Name
)

var opNames = [...]string{"?", "create", "mkdir", "link", "rename", "exchange", "unlink",
	"rmdir", "write", "truncate", "attr", "fsync", "fdatasync", "point"}

func (o Op) String() string { return opNames[o] }

type nodeKind uint8

const (
	kindFile nodeKind = iota
	kindSymlink
	kindDir // the greatest: an exchange with a directory counts as one of directories
)

// attr is what chmod and chown change.
type attr struct {
	mode     fs.FileMode // with type bits
	uid, gid int
}

// Event is one thing that happened to the watched directory.
type Event struct {
	Op      Op
	Node    NodeID
	Dir     NodeID
	Name    string
	Dir2    NodeID
	Name2   string
	Node2   NodeID
	Off     int64
	Data    []byte
	Size    int64 // of a truncation, the new size
	Grows   bool  // a write or truncation beyond the size of the file then
	Since   int   // of a sync: the events before this one had happened when the call started
	Failed  bool  // of a sync: it returned an error
	Foreign bool  // done past the interface, found by comparison
	Path    string
	Path2   string

	kind   nodeKind
	attr   attr
	target string
}

// String is one line for people.
func (e Event) String() string {
	s := e.Op.String()
	switch e.Op {
	case OpPoint:
		return fmt.Sprintf("point     %s", e.Name)
	case OpRename, OpExchange:
		s = fmt.Sprintf("%-9s %q -> %q", s, e.Path, e.Path2)
	case OpWrite:
		s = fmt.Sprintf("%-9s %q %d bytes at %d %.40q", s, e.Path, len(e.Data), e.Off, e.Data)
	case OpTruncate:
		s = fmt.Sprintf("%-9s %q to %d", s, e.Path, e.Size)
	case OpAttr:
		s = fmt.Sprintf("%-9s %q %v %d:%d", s, e.Path, e.attr.mode, e.attr.uid, e.attr.gid)
	case OpSync, OpDatasync:
		s = fmt.Sprintf("%-9s %q covering events before %d", s, e.Path, e.Since)
	default:
		s = fmt.Sprintf("%-9s %q", s, e.Path)
	}
	if e.Failed {
		s += " FAILED"
	}
	if e.Foreign {
		s += " (foreign)"
	}
	return fmt.Sprintf("%s [inode %d]", s, e.Node)
}

// Log is what a Recorder has seen: the directory as it was at the start, all of
// it durable, and the events since.
type Log struct {
	Events []Event
	base   snapshot
	inodes map[NodeID]uint64 // their numbers
}

// Points are the marks among the first n events, in order.
func (l *Log) Points(n int) []string {
	var points []string
	for _, e := range l.Events[:n] {
		if e.Op == OpPoint {
			points = append(points, e.Name)
		}
	}
	return points
}
