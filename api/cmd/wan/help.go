package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/spec"
)

// printHelp prints the help of a command, as wide as the terminal.
func printHelp(cmd *cobra.Command) error {
	w := bufio.NewWriter(cmd.OutOrStdout())
	writeHelp(w, cmd, terminalWidth(cmd.OutOrStdout()))
	return w.Flush()
}

func writeHelp(w io.Writer, cmd *cobra.Command, width int) {
	printText(w, cmp.Or(cmd.Long, cmd.Short), width)
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND [flags]"
	}
	fmt.Fprintln(w, "\nUsage:\n  "+use)
	if cmd.Example != "" {
		fmt.Fprintln(w, "\nExamples:")
		printShell(w, cmd.Example, width)
	}
	printCommands(w, cmd, width)
	printFlags(w, cmd, width)
	if tail := cmd.Annotations["tail"]; tail != "" {
		fmt.Fprintln(w)
		printText(w, tail, width)
	}
}

// printShell prints shell commands. One that is too long goes on behind a backslash, between words.
func printShell(w io.Writer, commands string, width int) {
	for command := range strings.Lines(commands) {
		const margin = " "
		line := margin
		for _, word := range shellWords.FindAllString(command, -1) {
			if line != margin && len(line)+len(word)+len("   \\") > width {
				fmt.Fprintln(w, line+" \\")
				line = "   "
			}
			line += " " + word
		}
		fmt.Fprintln(w, line)
	}
}

// shellWords matches a flag with its value, or a word.
var shellWords = regexp.MustCompile(`(?:--?[\w-]+ )?(?:'[^']*'|"[^"]*"|[^'"\s-]\S*)|\S+`)

// printCommands prints the subcommands in their groups, in the order in which they were added.
func printCommands(w io.Writer, cmd *cobra.Command, width int) {
	padding := 0
	for _, sub := range cmd.Commands() {
		padding = max(padding, len(sub.Name()))
	}
	groups := append(cmd.Groups(), &cobra.Group{Title: "Commands:"})
	for _, group := range groups {
		title := "\n" + group.Title
		for _, sub := range cmd.Commands() {
			if sub.GroupID != group.ID || !sub.IsAvailableCommand() {
				continue
			}
			if title != "" {
				fmt.Fprintln(w, title)
				title = ""
			}
			printText(w, fmt.Sprintf("  %-*s  %s", padding, sub.Name(), sub.Short), width)
		}
	}
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
		switch label, usage := describeFlag(f); {
		case isProperty:
			kind := " " + value.Type()
			if f.NoOptDefVal != "" {
				kind = "[=true|false]"
			}
			if len("  --"+f.Name+kind) > width {
				kind = "\n  " + strings.TrimSpace(kind)
			}
			printText(w, "  --"+f.Name+kind+remark(value.Property)+"\n      "+value.usage, width)
		case f.Shorthand == "":
			printItem(w, "  ", "    "+label, usage, width)
		default:
			printItem(w, "  ", label, usage, width)
		}
	})
}

// describeFlag returns the names and the type of a flag, and its description with the default.
func describeFlag(f *pflag.Flag) (label, usage string) {
	kind, usage := pflag.UnquoteUsage(f)
	label = "--" + f.Name
	if f.Shorthand != "" {
		label = "-" + f.Shorthand + ", " + label
	}
	if !slices.Contains([]string{"", "0", "0s", "false", "[]"}, f.DefValue) {
		usage += " (default " + f.DefValue + ")"
	}
	return strings.TrimRight(label+" "+kind, " "), usage
}

// printItem prints a name and its description in two columns, or in a narrow terminal below each other.
func printItem(w io.Writer, margin, name, description string, width int) {
	if width < 80 {
		printText(w, margin+strings.TrimSpace(name)+"\n"+margin+"    "+description, width)
		return
	}
	printText(w, fmt.Sprintf("%s%-28s  %s", margin, name, description), width)
}

// printText wraps each line that is too long. The rest of it is indented as its last column is.
func printText(w io.Writer, text string, width int) {
	for line := range strings.SplitSeq(text, "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if i := strings.LastIndex(line, "  "); i > indent && i+2 < width/2 {
			indent = i + 2
		}
		lines := wrap(line[indent:], max(width-indent, 20))
		fmt.Fprintln(w, strings.TrimRight(line[:indent]+lines[0], " "))
		for _, rest := range lines[1:] {
			fmt.Fprintln(w, strings.Repeat(" ", indent)+rest)
		}
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

// wrap breaks text into lines between words. It returns at least one line.
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
