package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingHeavyIsLinked: what is linked into jtx is paid for by each start, used or
// not; net/http alone by 0.2 to 0.7 ms. What needs these belongs into jtx-plus.
func TestNothingHeavyIsLinked(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "github.com/jtx-project/jtx/txn")
	for _, dep := range deps {
		for _, heavy := range []string{"net/http", "html/template", "crypto/tls", "mvdan.cc/sh", "github.com/modelcontextprotocol"} {
			require.False(t, dep == heavy || strings.HasPrefix(dep, heavy+"/"), dep)
		}
	}
}
