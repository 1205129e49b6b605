package main

import (
	"os/exec"
	"syscall"
)

// separate keeps the console's Ctrl-C from a command: it is finished, as the video is.
func separate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
