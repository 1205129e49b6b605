package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/spec"
)

// didYouMean suggests names similar to a misspelled word, as cobra does for commands.
func didYouMean(word string, names []string) string {
	commands := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, name := range names {
		commands.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	found := commands.SuggestionsFor(word)
	if len(found) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(slices.Sorted(slices.Values(found)), " or ") + "?"
}

// unknownCommand suggests the command that was probably meant.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, command := range root.Commands() {
		if command.IsAvailableCommand() {
			names = append(names, command.Name())
		}
	}
	return fmt.Errorf("unknown command %.60q%s", args[0], didYouMean(args[0], names))
}

// unknownFlag suggests the flag that was probably meant.
func unknownFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), names))
}

// unknownProperty suggests the property that was probably meant.
func unknownProperty(document *spec.Document, body map[string]any) error {
	listed := slices.Sorted(maps.Keys(document.Request().Properties))
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if !slices.Contains(listed, name) {
			return fmt.Errorf("%s has no property %.60q%s; --allow-unknown sends it anyway", document.Slug, name, didYouMean(name, listed))
		}
	}
	return nil
}

// noArguments explains how an argument probably came about.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %.60q: quote text with spaces, turn a flag off with --flag=false, and repeat the flag of a list for each element", args[0])
}
