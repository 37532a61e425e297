package fsys

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is not understood lets nobody in but the owner, and no list changes nothing.
func TestModeOfAListThatIsNotUnderstood(t *testing.T) {
	for text, want := range map[string]fs.FileMode{
		"":                 0o664,
		"\x02":             0o600,
		"\x03\x00\x00\x00": 0o600,
		"\x02\x00\x00\x00\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x06\x00\xff\xff\xff\xff": 0o644,
	} {
		require.Equal(t, want, withoutACL([]byte(text), 0o664), "%q", text)
	}
}
