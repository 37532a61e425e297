package history_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// FuzzParsePoint: what is no version is invalid, and nothing panics. A time that is
// printed and read again is the same.
func FuzzParsePoint(f *testing.F) {
	for _, text := range []string{"", "0", "7", "-1", "-18446744073709551616", "99999999999999999999", "01JD3Z5T9V8Q6W1E2R3T4Y5Z6A", "2026-01-02T03:04:05Z",
		"2026-01-02T03:04:05.123456789+01:00", "2h ago", "1d12h ago", "-3h ago", "1e9d ago", "9999999999h ago", " 7", "7 "} {
		f.Add(text)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := history.ParsePoint(text, now)
		if err != nil {
			if !errors.Is(err, txn.ErrInvalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		at := p.Time()
		if at.IsZero() || at.Year() < 0 || at.Year() > 9999 {
			return
		}
		if again, err := history.ParsePoint(at.UTC().Format(time.RFC3339Nano), now); err != nil || !again.Time().Equal(at) {
			t.Fatalf("%q is %v, and again %v, %v", text, at, again.Time(), err)
		}
	})
}
