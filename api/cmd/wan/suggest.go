package main

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/spec"
)

// didYouMean suggests names similar to a misspelled word, as cobra does for commands.
func didYouMean(word string, names iter.Seq[string]) string {
	commands := &cobra.Command{SuggestionsMinimumDistance: 2}
	for name := range names {
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
	return fmt.Errorf("unknown command %.60q%s", args[0], didYouMean(args[0], func(yield func(string) bool) {
		for _, command := range root.Commands() {
			if command.IsAvailableCommand() && !yield(command.Name()) {
				return
			}
		}
	}))
}

// unknownFlag suggests the flag that was probably meant.
func unknownFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	return fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), func(yield func(string) bool) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { yield("--" + f.Name) })
	}))
}

// unknownProperty suggests the property that was probably meant.
func unknownProperty(document *spec.Document, body map[string]any) error {
	listed := document.Request().Properties
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if listed[name] == nil {
			return fmt.Errorf("%s has no property %.60q%s; --allow-unknown sends it anyway", document.Slug, name, didYouMean(name, maps.Keys(listed)))
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
