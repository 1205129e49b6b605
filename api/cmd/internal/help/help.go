// Package help prints the help of the commands, as wide as the terminal.
package help

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// Tail returns the annotations of a command whose help ends with the given parts.
func Tail(parts ...string) map[string]string {
	return map[string]string{tail: strings.Join(parts, "\n\n")}
}

const tail = "tail"

// Write writes the help of a command. Flags writes its flags, as [Flags] does for most commands.
func Write(w io.Writer, cmd *cobra.Command, width int, flags func(io.Writer, *cobra.Command, int)) {
	Text(w, cmp.Or(cmd.Long, cmd.Short), width)
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND [flags]"
	}
	fmt.Fprintln(w, "\nUsage:")
	printShell(w, use, width)
	if cmd.Example != "" {
		fmt.Fprintln(w, "\nExamples:")
		printShell(w, cmd.Example, width)
	}
	printCommands(w, cmd, width)
	flags(w, cmd, width)
	if text := cmd.Annotations[tail]; text != "" {
		fmt.Fprintln(w)
		Text(w, text, width)
	}
}

// Flags writes the flags of a command.
func Flags(w io.Writer, cmd *cobra.Command, width int) {
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintln(w, "\nFlags:")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { Flag(w, f, width) })
	}
}

// Flag writes the names of a flag and its description.
func Flag(w io.Writer, f *pflag.Flag, width int) {
	label, usage := describeFlag(f)
	if f.Shorthand == "" {
		label = "    " + label
	}
	Item(w, "  ", label, usage, width)
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
			Text(w, fmt.Sprintf("  %-*s  %s", padding, sub.Name(), sub.Short), width)
		}
	}
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

// Item prints a name and its description in two columns, or in a narrow terminal below each other.
func Item(w io.Writer, margin, name, description string, width int) {
	if width < 80 {
		Text(w, margin+strings.TrimSpace(name)+"\n"+margin+"    "+description, width)
		return
	}
	Text(w, fmt.Sprintf("%s%-28s  %s", margin, name, description), width)
}

// Text wraps each line that is too long. The rest of it is indented as its last column is.
func Text(w io.Writer, text string, width int) {
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

// Width is the width of the terminal, or 100 where there is none.
func Width(w io.Writer) int {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return min(width, 120)
		}
	}
	return 100
}
