package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePointer(t *testing.T) {
	for _, c := range []struct {
		text   string
		tokens Pointer
	}{
		{"", nil},
		{"/", Pointer{""}},
		{"//", Pointer{"", ""}},
		{"/a/b", Pointer{"a", "b"}},
		{"/a~1b", Pointer{"a/b"}},
		{"/m~0n", Pointer{"m~n"}},
		{"/~01", Pointer{"~1"}},
		{"/~1~0~1", Pointer{"/~/"}},
		{"/0/-/ /%20", Pointer{"0", "-", " ", "%20"}},
		{"/\u00e9\x00", Pointer{"é\x00"}},
	} {
		p, err := ParsePointer(c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.tokens, p)
		require.Equal(t, c.text, p.String())
	}
	for _, text := range []string{"a", "a/b", "#/a", "/~", "/~2", "/a~/b", "/~~0", " /a"} {
		_, err := ParsePointer(text)
		require.ErrorIs(t, err, ErrPointer, text)
		var typed *PointerError
		require.ErrorAs(t, err, &typed)
		require.Equal(t, text, typed.Pointer)
	}
}

func TestPointerHasPrefix(t *testing.T) {
	p := Pointer{"a", "b"}
	require.True(t, p.HasPrefix(nil))
	require.True(t, p.HasPrefix(Pointer{"a"}))
	require.True(t, p.HasPrefix(p))
	require.False(t, p.HasPrefix(Pointer{"a", "b", "c"}))
	require.False(t, p.HasPrefix(Pointer{"a b"}))
	require.False(t, Pointer{"ab"}.HasPrefix(Pointer{"a"}))
}

func TestArrayIndexIsCanonical(t *testing.T) {
	for token, want := range map[string]int{"0": 0, "7": 7, "10": 10, "1234567890": 1234567890} {
		i, ok := arrayIndex(token)
		require.True(t, ok)
		require.Equal(t, want, i)
	}
	for _, token := range []string{"", "-", "-0", "-1", "+1", "00", "01", "1 ", "1e0", "1.0", "٣", "0x1", "12345678901234567890"} {
		_, ok := arrayIndex(token)
		require.False(t, ok, token)
	}
}
