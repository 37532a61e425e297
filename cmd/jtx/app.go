package main

import "github.com/jtx-project/jtx/cmd/internal/cli"

// app is one run of jtx, with what only its own verbs need.
type app struct{ *cli.App }
