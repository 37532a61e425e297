package workspace

import (
	"strings"
	"testing"
)

// FuzzEscape: a path becomes one file name and the same path again, or a hash.
func FuzzEscape(f *testing.F) {
	for _, rel := range []string{"a.json", ".hidden", "dir/ä.json", "a%2Fb", "%%", strings.Repeat("ö", 80), "a\x00b", "..", "A b,c+d=e_f-g"} {
		f.Add(rel)
	}
	f.Fuzz(func(t *testing.T, rel string) {
		name, hashed := escape(rel)
		if len(name) > maxEscaped || strings.ContainsAny(name, "/\x00") || strings.HasPrefix(name, ".") || name == "" && rel != "" {
			t.Fatalf("%q: %q is no name of a file", rel, name)
		}
		if hashed {
			return
		}
		if again, err := unescape(name); err != nil || again != rel {
			t.Fatalf("%q: %q, and back %q, %v", rel, name, again, err)
		}
	})
}

// FuzzUnescape: any name that stands in the directory of the journals is refused
// or is a path.
func FuzzUnescape(f *testing.F) {
	for _, name := range []string{"a.json", "a%2Fb.json", "%", "%4", "%zz", "%2e%2e%2fx", "a%00"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		rel, err := unescape(name)
		if err != nil {
			return
		}
		if again, hashed := escape(rel); !hashed {
			if back, err := unescape(again); err != nil || back != rel {
				t.Fatalf("%q is the path %q, whose name %q is %q, %v", name, rel, again, back, err)
			}
		}
	})
}
