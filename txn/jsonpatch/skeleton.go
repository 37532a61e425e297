package jsonpatch

// This file holds the place of what is still to come.

type Operation struct {
	Op         string
	Path, From Pointer
	Value      []byte
}
type Patch []Operation

func DecodePatch(data []byte, lim Limits) (Patch, error) { panic("soon") }
func (p Patch) Encode() []byte                           { panic("soon") }

type Syntax uint8

const (
	Strict Syntax = iota
	JSONC
)

type Document struct {
	raw    []byte
	syntax Syntax
}

func Parse(data []byte, lim Limits) (*Document, error)       { panic("soon") }
func ParseStrict(data []byte, lim Limits) (*Document, error) { panic("soon") }
func Trusted(data []byte, s Syntax) *Document                { return &Document{data, s} }
func (d *Document) Bytes() []byte                            { return d.raw }
func (d *Document) Syntax() Syntax                           { return d.syntax }
func (d *Document) Get(p Pointer) ([]byte, error)            { panic("soon") }
func (d *Document) Apply(p Patch, lim Limits) (*Document, []Splice, error) {
	panic("soon")
}
func (d *Document) MergePatch(merge []byte, lim Limits) (Patch, error) { panic("soon") }

type Splice struct {
	Offset   int
	Old, New []byte
}

func ApplySplices(data []byte, s []Splice) ([]byte, error) { panic("soon") }
func ReverseSplices(s []Splice) []Splice                   { panic("soon") }
func Equal(a, b []byte) bool                               { panic("soon") }
func Compact(data []byte) []byte                           { panic("soon") }
