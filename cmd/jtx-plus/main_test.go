package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

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
