//go:build unix

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// notRun are the beginnings of shell lines of the README that its test leaves out: they compile, or need the API or the
// reader's own program.
var notRun = regexp.MustCompile(`^(go (test|mod|install) |wan batch |wan ".*"|wan conformance --target https://)`)

// TestREADMECommands runs the shell lines of the README one after the other, with other ports.
func TestREADMECommands(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script := "trap 'kill $(jobs -p)' EXIT\n"
	lines := 0
	for _, line := range regexp.MustCompile(`(?m)^(?:    )?((?:go|wan|export|curl) .*)$`).FindAllStringSubmatch(string(readme), -1) {
		if notRun.MatchString(line[1]) {
			continue
		}
		lines++
		script += strings.NewReplacer("go run ./api/cmd/wan ", "wan ", " &", " --queued 100ms --generating 100ms &").Replace(line[1]) + "\n"
		if address := regexp.MustCompile(`--addr (\S+) &$`).FindStringSubmatch(line[1]); address != nil {
			script += "until wan simulate --probe http://" + address[1] + " 2>/dev/null; do sleep 0.1; done\n"
		}
	}
	if lines < 12 {
		t.Errorf("only %d lines:\n%s", lines, script)
	}
	for _, port := range []string{"8080", "8090"} {
		script = strings.ReplaceAll(script, "127.0.0.1:"+port, freeAddress(t))
	}
	clone, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(filepath.Join(clone, "conformance"), filepath.Join(folder, "conformance")); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("bash", "-ex", "-o", "pipefail", "-c", script)
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	for _, name := range []string{"out.mp4", "move.mp4", "replace.mp4", "pose.mp4", "reframe.mp4", "report.html"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
