package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jtx-project/jtx/cmd/internal/scripttest"
)

// TestMain lets the test binary be jtx itself, when it is called by that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jtx": main})
}

func TestScripts(t *testing.T) { scripttest.Run(t, filepath.Join("testdata", "script")) }
