package measure

import "fmt"

// Sizes of documents, in bytes.
const (
	Small  = 1 << 10
	Middle = 100 << 10
	Large  = 5 << 20
)

// SizeName is 1KB for 1024, as benchmarks are named.
func SizeName(size int) string {
	if size >= 1<<20 {
		return fmt.Sprintf("%dMB", size>>20)
	}
	return fmt.Sprintf("%dKB", size>>10)
}

// Document is a JSON object of about size bytes: a line for each member, all of
// them text but for the number "n" in the middle, which is n.
func Document(size, n int) []byte {
	const line = 64
	out := append(make([]byte, 0, size+line), "{\n"...)
	text := func(until int) {
		for len(out) < until-line {
			out = fmt.Appendf(out, "  \"field%09d\": \"the quick brown fox jumps over a dog\",\n", len(out))
		}
	}
	text(size / 2)
	out = fmt.Appendf(out, "  \"n\": %d,\n", n)
	text(size)
	return append(out, "  \"last\": true\n}\n"...)
}
