package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/spec"
)

// usage prints the flags of the request, each with its description, and then those of the command.
func usage(document *spec.Document, request *pflag.FlagSet) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		own := pflag.NewFlagSet("", pflag.ContinueOnError)
		own.SortFlags = false
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if request.Lookup(f.Name) == nil {
				own.AddFlag(f)
			}
		})
		w := cmd.OutOrStdout()
		width := terminalWidth(w)
		fmt.Fprintf(w, "Usage:\n  %s\n\nExample:\n%s\n\nRequest:\n", cmd.UseLine(), cmd.Example)
		for _, p := range document.Properties() {
			if p.Name == "model" {
				continue
			}
			flag := request.Lookup(flagName(p.Name))
			value := " " + flag.Value.Type()
			if flag.NoOptDefVal != "" {
				value = "[=true|false]"
			}
			fmt.Fprintf(w, "  --%s%s%s\n", flag.Name, value, remark(p))
			for _, line := range wrap(flagNames(document, p.Schema.Description), width-6) {
				fmt.Fprintf(w, "      %s\n", line)
			}
		}
		_, err := fmt.Fprintf(w, "\nCommand:\n%s\n%s\n\n%s\n", own.FlagUsagesWrapped(width), environment, exitCodes())
		return err
	}
}

// flagNames replaces the names of properties by those of their flags.
func flagNames(document *spec.Document, text string) string {
	for _, p := range document.Properties() {
		text = strings.ReplaceAll(text, "`"+p.Name+"`", "--"+flagName(p.Name))
	}
	return text
}

// remark is "(required)" or the default of a property.
func remark(p spec.Property) string {
	text := fmt.Sprint(p.Schema.Default)
	switch {
	case p.Required:
		return " (required)"
	case p.Schema.Default == nil:
		return ""
	case len(text) > 60:
		text = strings.ToValidUTF8(text[:60], "")
		if i := strings.LastIndex(text, " "); i > 0 {
			text = text[:i]
		}
		text += " ..."
	}
	return " (default " + text + ")"
}

func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line += " " + word
		line = strings.TrimPrefix(line, " ")
	}
	return append(lines, line)
}
