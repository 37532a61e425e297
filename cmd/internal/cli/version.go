package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(a *App) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: Example(`jtx version`),
		Args:    Words(0, 0),
		RunE:    a.Verb(func(cmd *cobra.Command, _ []string) error { return a.printVersion(cmd.Root().Name()) }),
	}
}

func (a *App) printVersion(program string) error {
	v := readVersion()
	if a.JSON {
		return a.WriteJSON(v)
	}
	return a.Printf("%s %s\n", program, v)
}

// Version is what this program calls its version.
func Version() string { return readVersion().Version }

// VersionJSON says what this program was built from.
type VersionJSON struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readVersion() VersionJSON {
	v := VersionJSON{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v VersionJSON) String() string {
	text := v.Version
	if v.Commit != "" {
		text += " " + v.Commit[:min(12, len(v.Commit))]
	}
	if v.Modified {
		text += " modified"
	}
	return text + " " + v.Go + " " + v.Platform
}
