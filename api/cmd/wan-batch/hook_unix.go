//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// separate keeps the terminal's Ctrl-C from a command: it is finished, as the video is.
func separate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
