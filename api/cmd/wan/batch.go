package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

// newBatch makes the command that runs wan-batch, which is a program of its own because of its databases.
func newBatch(c *console) *cobra.Command {
	return &cobra.Command{
		Use:                "batch COMMAND",
		Short:              "Generate the videos of a manifest, each line paid once (runs wan-batch)",
		GroupID:            "jobs",
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := findBatch()
			if err != nil {
				return err
			}
			return c.exec(path, append([]string{"wan batch"}, args...)) // the name that its help shows
		},
	}
}

// findBatch looks for wan-batch beside wan and in PATH.
func findBatch() (string, error) {
	name := "wan-batch"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", inputError(errors.New("wan-batch isn't installed; go install ./api/cmd/wan-batch puts it beside wan"))
}
