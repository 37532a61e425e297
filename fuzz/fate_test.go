package fuzz

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A unit's fate does not depend on what became of a journal later: that a participant's
// journal has dropped the LSN where the unit's record would be does not say that it had
// it. Killed at each step of a unit, then one of the two files goes on and is compacted.
func TestAUnitsFateOutlivesCompaction(t *testing.T) {
	b := buildWithSteps(t)
	unit := `[{"file":"a.json","set":{"/v":2}},{"file":"b.json","set":{"/v":2}}]`
	lines := strings.ReplaceAll(strings.Trim(unit, "[]"), "},{", "}\n{")
	for at := 1; ; at++ {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "unit"), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		b.run(dir, 0, "set", "a.json", "/v", "1")
		b.run(dir, 0, "set", "b.json", "/v", "1")
		steps, killed := b.run(dir, at, "do", "unit")
		for _, args := range [][]string{
			{"set", "b.json", "/w", "1"}, {"set", "b.json", "/w", "2"}, {"set", "b.json", "/w", "3"},
			{"compact", "b.json", "--keep-revs", "1"},
			{"recover"}, {"verify"},
		} {
			b.run(dir, 0, args...)
		}
		a, z := valueOf(t, dir, "a.json"), valueOf(t, dir, "b.json")
		if a != z {
			t.Fatalf("killed at %v: a.json has %v, b.json %v", steps, a, z)
		}
		if !killed {
			return
		}
	}
}

func valueOf(t *testing.T, dir, name string) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	m, ok := decoded(string(text)).(map[string]any)
	if !ok {
		t.Fatalf("%s: %s", name, text)
	}
	return m["v"]
}
