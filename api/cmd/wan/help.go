package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec"
)

// printHelp prints the help of a command, as wide as the terminal.
func printHelp(cmd *cobra.Command) error {
	w := bufio.NewWriter(cmd.OutOrStdout())
	help.Write(w, cmd, terminalWidth(cmd.OutOrStdout()), printFlags)
	return w.Flush()
}

// printFlags prints the flags of a model's request, each with its description, and then the other flags.
func printFlags(w io.Writer, cmd *cobra.Command, width int) {
	title := ""
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		value, isProperty := f.Value.(*property)
		section := "\nFlags:"
		if isProperty {
			section = "\nRequest:"
		} else if title == "\nRequest:" || title == "\nCommand:" {
			section = "\nCommand:"
		}
		if section != title {
			fmt.Fprintln(w, section)
			title = section
		}
		if !isProperty {
			help.Flag(w, f, width)
			return
		}
		kind := " " + value.Type()
		if f.NoOptDefVal != "" {
			kind = "[=true|false]"
		}
		if len("  --"+f.Name+kind) > width {
			kind = "\n  " + strings.TrimSpace(kind)
		}
		help.Text(w, "  --"+f.Name+kind+remark(value.Property)+"\n      "+value.usage, width)
	})
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
