package txn

import (
	"errors"
	"fmt"

	"github.com/jtx-project/jtx/wal"
)

const (
	formatVersion = 1
	// layoutVersion counts the ways in which format 1 was laid out on the disk before it
	// was frozen. Only the last one is read.
	layoutVersion = 3
)

// ErrDevelopment is returned, with ErrFormat, for a workspace of a layout from before
// format 1 was frozen. Its files are whole; their histories can't be read any more.
var ErrDevelopment = errors.New("it was made by a development build of jtx")

// format is the content of .jtx/format.
type format struct {
	Format int    `json:"format"`
	Layout int    `json:"layout"`
	ID     string `json:"id"`
	Tree   bool   `json:"tree"`
	// Needs are what a program must know of to use the workspace, one word each. This
	// one knows of none.
	Needs []string `json:"needs"`
	// From are workspaces that had histories of this one before.
	From []origin `json:"from,omitempty"`
}

func newFormat(tree bool) format {
	return format{Format: formatVersion, Layout: layoutVersion, ID: wal.NewID().String(), Tree: tree, Needs: []string{}}
}

// supported refuses what this program can't use, before anything of it is read.
func (f *format) supported() error {
	switch {
	case f.Format != formatVersion:
		return fmt.Errorf("%w %d, this program knows %d", ErrFormat, f.Format, formatVersion)
	case f.Layout > layoutVersion:
		return fmt.Errorf("%w: layout %d, this program knows %d: it was made by a newer jtx", ErrFormat, f.Layout, layoutVersion)
	case f.Layout < layoutVersion:
		return fmt.Errorf("%w: layout %d, this program knows %d: %w", ErrFormat, f.Layout, layoutVersion, ErrDevelopment)
	case len(f.Needs) > 0:
		return fmt.Errorf("%w: it needs %q, which this program does not know", ErrFormat, f.Needs[0])
	}
	return nil
}
