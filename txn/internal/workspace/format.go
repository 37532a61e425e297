package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

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

// Format is the content of .jtx/format.
type Format struct {
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

func NewFormat(tree bool) Format {
	return Format{Format: formatVersion, Layout: layoutVersion, ID: wal.NewID().String(), Tree: tree, Needs: []string{}}
}

// Text is what a new workspace has in its file.
func (f *Format) Text() string {
	return `{"format":` + strconv.Itoa(f.Format) + `,"layout":` + strconv.Itoa(f.Layout) +
		`,"id":"` + f.ID + `","tree":` + strconv.FormatBool(f.Tree) + `,"needs":[]}` + "\n"
}

// Decode reads a workspace's file. A new workspace's text, which nearly all keep, is read
// without reflection, which would take a tenth of what jtx get does behind its start.
func (f *Format) Decode(text []byte) error {
	plain := Format{Format: formatVersion, Layout: layoutVersion, Needs: []string{}}
	_, rest, _ := strings.Cut(string(text), `"id":"`)
	plain.ID, rest, _ = strings.Cut(rest, `"`)
	plain.Tree = strings.Contains(rest, "true")
	if plain.Text() == string(text) {
		*f = plain
		return nil
	}
	return json.Unmarshal(text, f)
}

// supported refuses what this program can't use, before anything of it is read.
func (f *Format) supported() error {
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
