package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/plus"
	"github.com/jtx-project/jtx/cmd/internal/scripttest"
)

func TestMain(m *testing.M) { os.Exit(scripttest.Main(m, "jtx", plus.Name)) }

func TestScripts(t *testing.T) { scripttest.Run(t, filepath.Join("testdata", "script")) }

// TestVerbsAreThoseThatAreTold: jtx shows and runs the verbs of package plus.
func TestVerbsAreThoseThatAreTold(t *testing.T) {
	require.Len(t, program.Verbs, len(plus.Verbs))
	a := cli.NewApp(t.Context(), io.Discard, io.Discard)
	for i, v := range program.Verbs {
		require.Equal(t, plus.Verbs[i].Name, v.Name)
		cmd := v.Make(a)
		require.NotEmpty(t, cmd.Example, v.Name)
		require.NotEmpty(t, cmd.Short, v.Name)
		require.NotNil(t, cmd.RunE, v.Name)
	}
}

// TestRewriteContract: what rewrite --json prints is as the published schema says, and no
// name in it is missing there.
func TestRewriteContract(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "jtx", "testdata", "schema", "rewritten.json"))
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(text, &schema))
	for _, s := range []*jsonschema.Schema{&schema, schema.Properties["findings"].Items} {
		s.AdditionalProperties = &jsonschema.Schema{Not: &jsonschema.Schema{}}
	}
	resolved, err := schema.Resolve(nil)
	require.NoError(t, err)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s.sh"), []byte("jq .a=1 f.json > t && mv t f.json\ntruncate -s 0 g.json\n"), 0o600))
	for _, args := range [][]string{{"rewrite", "--json", "s.sh"}, {"rewrite", "--json", "--write", "s.sh"}, {"rewrite", "--json", "s.sh"}} {
		cmd := exec.Command("jtx", args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		require.NoError(t, err)
		var value any
		require.NoError(t, json.Unmarshal(out, &value))
		require.NoError(t, resolved.Validate(value), string(out))
	}
}
