//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

// execute runs the program and ends with its exit code. Ctrl-C reaches both.
func execute(path string, args []string) error {
	command := exec.Command(path, args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	return err
}
