//go:build unix

package main

import (
	"os"
	"syscall"
)

// execute replaces this process, so that signals and the terminal are the new program's.
func execute(path string, args []string) error {
	return syscall.Exec(path, args, os.Environ()) //nolint:gosec // wan-batch, with the user's arguments
}
