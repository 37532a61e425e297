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
//
// # How it is done
//
// Parse validates a text with jsontext, which judges everything but the depth; Trusted takes a
// text whose hash says that it was. Apply finds the place by skipping over what lies before it,
// 64 bytes at a time in AVX2 assembly (blocks_amd64.s), else eight, joins the text around the
// place with the new bytes, and returns that and the splices. Nothing is parsed into values.
// Replacing by a scalar does only this; every other patch works on a tree that grows only where
// an operation looks (work.go). What is allocated doesn't grow with the text, but for the
// output. Limits bound depth, bytes, operations and what copy may repeat.
//
// Apply is the plain rendering, which a journal replays. Edit writes a patch, and Revise a new
// value, as a careful editor does (style.go, pen.go, refit.go); where a rule of style had a
// say, and the bytes differ, the record has splices. jtx update evaluates its program over
// objects that keep their order (cmd/internal/jq/ordered): what it takes over keeps its text,
// and it is known which element an element was made of, so that comments stay with theirs.
//
// EDITS.md beside this file has twenty everyday edits of real files, by jtx and by
// jsonc-parser, comment-json, jq and yq.
//
// # What it costs
//
// cmd/peers/README.md has the table. It is what go test ./txn/jsonpatch -run xxx -bench
// 'Apply/(bare|unseen|trusted)' -count 3 prints. Of a large document it is remembered where it
// was last looked into, also in what an edit makes of it (lookups.go): a program that reads and
// changes the same places does not go through the text again. go test ./txn/jsonpatch -run '^$'
// -fuzz '^FuzzApply$' -fuzztime 1h fuzzes for an hour, FuzzDiff, FuzzMerge, FuzzParse and
// FuzzPointer likewise. At 1 KB the validation takes 1.5 µs here, and three quarters of the
// rest of Apply are the runtime's, for the new text and the garbage that it becomes. A depth
// check eight bytes at a time instead of the assembly would take 0.4 of a validation, instead
// of 0.06. Decoding a patch is slower than applying it, at about 75 MB/s: evanphx/json-patch
// does that.
package jsonpatch
