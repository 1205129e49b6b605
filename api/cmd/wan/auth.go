package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// keyPath is the file that holds the key of wan auth login.
func keyPath() (string, error) {
	config, err := os.UserConfigDir()
	return filepath.Join(config, "wan", "key"), err
}

// savedKey is the key of wan auth login, or "".
func savedKey() string {
	path, err := keyPath()
	if err != nil {
		return ""
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(key))
}

func newAuth(c *console) *cobra.Command {
	path, _ := keyPath()
	command := &cobra.Command{
		Use:     "auth",
		Short:   "Keep the API key in a file",
		GroupID: "account",
		Long:    "Keep the API key in " + path + ", which only you can read. AIML_API_KEY wins over it.",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	add := func(use, short, example string, run func(ctx context.Context, c *console) error) {
		command.AddCommand(&cobra.Command{Use: use, Short: short, Example: example, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), c) }})
	}
	add("login", "Read the key from the terminal or standard input and keep it", "  wan auth login\n  wan auth login < key.txt", runLogin)
	add("status", "Print where the key comes from", "", runAuthStatus)
	add("logout", "Remove the file with the key", "", runLogout)
	return command
}

func runLogin(ctx context.Context, c *console) error {
	text, err := await(ctx, c.readSecret)
	if err != nil {
		return err
	}
	key, err := wire.CheckKey(text)
	if err == nil && key == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return inputError(fmt.Errorf("API key: %w", err))
	}
	path, err := keyPath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	_ = os.Remove(path) // a new file has the right permissions from the start
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		return err
	}
	return printLine(c.stdout, "saved the key in "+path)
}

// readSecret reads a line without echo on a terminal.
func (c *console) readSecret() (string, error) {
	if f, ok := c.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(c.stderr, "API key: ")
		key, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.stderr)
		return string(key), err
	}
	line, _ := bufio.NewReader(c.stdin).ReadString('\n')
	return line, nil
}

func runAuthStatus(_ context.Context, c *console) error {
	path, err := keyPath()
	switch {
	case wire.Key() != "":
		return printLine(c.stdout, "the key comes from the environment")
	case savedKey() != "":
		return printLine(c.stdout, "the key comes from "+path)
	case err != nil:
		return err
	}
	return inputError(errors.New("no API key: set AIML_API_KEY or run wan auth login"))
}

func runLogout(_ context.Context, c *console) error {
	path, err := keyPath()
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return printLine(c.stdout, "removed "+path)
}
