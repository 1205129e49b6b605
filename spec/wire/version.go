package wire

import (
	"fmt"
	"runtime/debug"
)

// Version returns the program's version for --version, with the commit and its date if the build recorded them.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	text := info.Main.Version
	if commit := settings["vcs.revision"]; commit != "" {
		text += fmt.Sprintf(" (commit %.12s, %s", commit, settings["vcs.time"])
		if settings["vcs.modified"] == "true" {
			text += ", modified"
		}
		text += ")"
	}
	return text
}
