// Package jsonpatch edits JSON text so that only what a patch names changes.
//
// A [Document] is the validated text of one file. Applying an RFC 6902 patch
// to it gives another Document and the list of byte [Splice]s that lead from
// one text to the other: key order, indentation, number literals, string
// escapes, line ends, comments and the byte order mark outside the changed
// places are the same bytes as before. A new member takes the layout of its
// siblings, and a removed one takes its comma, its line and its comment along.
//
// Apply is the plain rendering of a patch, which a journal replays. [Document.Edit]
// writes it as a careful human editor does, and [Document.Revise] a whole new value;
// their rules of style may change between versions.
//
// The package is pure: it does no I/O, keeps no state between calls and is
// deterministic, because a journal replays patches and must arrive at the very
// bytes that were written before.
//
// # Text that is accepted
//
// Strict text is RFC 8259 JSON: UTF-8, nothing behind the value, and no object with a
// name twice (also when spelt by different escapes). The escape of a lone surrogate
// ("\ud83d"), which JavaScript's slice leaves, is kept as it is, and no two are equal.
// What has names that are repeated is read too, and edited where no pointer leads
// through one: see [Document.Repeated]. A byte order mark is accepted and kept. JSONC is strict
// text with // and /* */ comments and trailing commas; it is read by blanking
// both to spaces of the same length, so that offsets hold and one parser
// judges everything. A // comment must end with LF or CRLF: readers disagree on
// whether a lone CR ends it.
//
// # Patches
//
// RFC 6902 is implemented whole, with RFC 6901 pointers. The choices that the
// RFCs leave open: array indices must be canonical (no "01", "+1" or "-0"),
// "test" compares numbers by mathematical value at any size, removing the
// whole document is refused because a text cannot say that it is absent, and
// moving a value onto itself changes nothing. RFC 7386 merge patches are turned
// into RFC 6902 ones by [Document.MergePatch].
package jsonpatch
