package jsonpatch

// What programs need that read JSON text by its places. The functions take strict
// JSON that is known to be valid; other text gives wrong results, no panic.

// Blank returns the text as strict JSON in which every byte is at its place:
// comments and trailing commas are spaces. It must not be written to.
func (d *Document) Blank() []byte { return d.blank() }

// Skip returns the place behind the value that begins at text[i].
func Skip(text []byte, i int) int { return skipValue(text, i) }

// Children calls f for each member or element of the container that begins at
// text[i], in order: its name with quotes, nil in an array, and its value
// text[lo:hi].
func Children(text []byte, i int, f func(name []byte, lo, hi int)) {
	object := byteAt(text, i) == '{'
	for i = skipSpace(text, i+1); i < len(text) && text[i] != '}' && text[i] != ']'; i = skipSpace(text, i) {
		var name []byte
		if object {
			end := skipString(text, i)
			name = text[i:end]
			i = skipSpace(text, skipSpace(text, end)+1)
		}
		hi := skipValue(text, i)
		if hi == i {
			return
		}
		f(name, i, hi)
		if i = skipSpace(text, hi); byteAt(text, i) == ',' {
			i++
		}
	}
}

// Unquote returns what a string, given with its quotes, means.
func Unquote(quoted []byte) string { return unquote(quoted) }

// AppendQuoted appends a string with its quotes, as short as it can be written.
func AppendQuoted(out []byte, s string) []byte {
	return appendQuoted(out, s)
}
