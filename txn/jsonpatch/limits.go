package jsonpatch

import "fmt"

// Limits bound what a call may read, build or repeat. They protect a program
// that applies patches of others; a caller may raise them. A zero field means
// its default.
type Limits struct {
	// MaxDepth is how deep containers may nest, in a text and in a result.
	// "[]" has depth 1. Values above 10,000 mean 10,000. Default 1,000.
	MaxDepth int

	// MaxBytes is the length of a text, and of a result. Default 1 GiB.
	MaxBytes int64

	// MaxOps is the number of operations in a patch. Default 1,048,576.
	MaxOps int

	// MaxPatchBytes is the length of an encoded patch. Default 1 GiB.
	MaxPatchBytes int64

	// MaxCopyBytes is the total length of the values that the "copy"
	// operations of one patch duplicate. Without it, a patch of 1 KB that
	// copies a document into itself over and over makes any amount of text.
	// Default 64 MiB.
	MaxCopyBytes int64

	// Loose lets the values of a patch repeat names, as those of a journal may:
	// other programs write such text. A patch that somebody gives must not.
	Loose bool
}

// maxParserDepth is the nesting at which jsontext itself gives up.
const maxParserDepth = 10_000

// DefaultLimits returns the limits that the zero value stands for.
func DefaultLimits() Limits {
	return Limits{
		MaxDepth:      1000,
		MaxBytes:      1 << 30,
		MaxOps:        1 << 20,
		MaxPatchBytes: 1 << 30,
		MaxCopyBytes:  64 << 20,
	}
}

// Bytes is MaxBytes, or its default.
func (l Limits) Bytes() int64 { return l.orDefault().MaxBytes }

// CheckSize fails with ErrLimit for a text of so many bytes, which need not be read then.
func (l Limits) CheckSize(size int64) error {
	if most := l.Bytes(); size > most {
		return exceeded("the length of the text in bytes", size, most)
	}
	return nil
}

// orDefault fills the zero fields.
func (l Limits) orDefault() Limits {
	def := DefaultLimits()
	if l.MaxDepth <= 0 {
		l.MaxDepth = def.MaxDepth
	}
	l.MaxDepth = min(l.MaxDepth, maxParserDepth)
	if l.MaxBytes <= 0 {
		l.MaxBytes = def.MaxBytes
	}
	if l.MaxOps <= 0 {
		l.MaxOps = def.MaxOps
	}
	if l.MaxPatchBytes <= 0 {
		l.MaxPatchBytes = def.MaxPatchBytes
	}
	if l.MaxCopyBytes <= 0 {
		l.MaxCopyBytes = def.MaxCopyBytes
	}
	return l
}

// exceeded makes the error for a quantity that is over its limit.
func exceeded[T int | int64](what string, found, limit T) error {
	return fmt.Errorf("%w: %s is %d, at most %d is allowed", ErrLimit, what, found, limit)
}
