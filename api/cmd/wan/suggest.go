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

// didYouMean names those that are like a misspelled word. It borrows cobra's way of finding commands.
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

// unknownCommand says which command was probably meant.
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

// unknownFlag says which flag was probably meant.
func unknownFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	return fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), func(yield func(string) bool) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { yield("--" + f.Name) })
	}))
}

// unknownProperty says which property of a request file was probably meant.
func unknownProperty(document *spec.Document, body map[string]any) error {
	listed := document.Request().Properties
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if listed[name] == nil {
			return fmt.Errorf("%s has no property %.60q%s; --allow-unknown sends it all the same", document.Slug, name, didYouMean(name, maps.Keys(listed)))
		}
	}
	return nil
}

// noArguments says what an argument probably was meant to be.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %.60q: text with spaces goes in quotes, --flag=false turns a flag off, and the flag of a list is given once for each element", args[0])
}
