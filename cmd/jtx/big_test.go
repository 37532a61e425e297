package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBigFile takes a big file through the verbs: 8 MB, or $JTX_TEST_MB.
func TestBigFile(t *testing.T) {
	size := 8
	if mb := os.Getenv("JTX_TEST_MB"); mb != "" {
		var err error
		size, err = strconv.Atoi(mb)
		require.NoError(t, err)
	} else if testing.Short() {
		size = 1
	}
	dir := t.TempDir()
	var b bytes.Buffer
	b.WriteString("{\n  \"items\": [\n")
	for i := 0; b.Len() < size<<20; i++ {
		fmt.Fprintf(&b, "    {\"id\": %d, \"name\": %q},\n", i, strings.Repeat("x", 80))
	}
	b.WriteString("    null\n  ],\n  \"n\": 1\n}\n")
	file := writeFile(t, dir, "big.json", b.String())
	writeFile(t, dir, "whole.json", b.String())

	tx := ""
	for _, args := range [][]string{
		{"set", "big.json", "/n", "2"},
		{"get", "big.json", "/items/3/id"},
		{"patch", "big.json", `[{"op": "test", "path": "/n", "value": 2}, {"op": "remove", "path": "/items/0"}]`},
		{"merge", "big.json", `{"m": 1}`},
		{"del", "big.json", "/m"},
		{"snapshot", "big.json"},
		{"begin", "big.json"},
		{"apply", "TX", "big.json", `[{"op": "replace", "path": "/n", "value": 3}]`},
		{"commit", "TX"},
		{"do", `{"file": "big.json", "set": {"/n": 4}}`},
		{"put", "big.json", "whole.json"},
		{"verify"},
		{"status"},
		{"recover"},
	} {
		for i, arg := range args {
			if arg == "TX" {
				args[i] = tx
			}
		}
		cmd := jtx(t, dir, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%v: %s", args, stderr.String())
		if args[0] == "begin" {
			tx = strings.TrimSpace(string(out))
		}
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(b.Bytes(), got))
	require.NoError(t, jtx(t, dir, "rm", "big.json").Run())
	require.NoFileExists(t, filepath.Join(dir, "big.json"))
}
