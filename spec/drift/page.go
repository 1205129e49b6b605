package main

import (
	"bytes"
	"regexp"
)

// fence opens a code block in JSON or YAML. It may be indented, as blocks in lists and tabs are, and have attributes.
var fence = regexp.MustCompile("(?i)^(`{3,}|~{3,})[ \t]*(?:json|ya?ml)(?:[ \t{,].*)?$")

// extract finds the documents in a Markdown page, which has them as code blocks. Anything else is a document itself.
func extract(data []byte) [][]byte {
	if is, err := isDocument(data); is && err == nil {
		return [][]byte{data}
	}
	var documents [][]byte
	for _, block := range blocks(data) {
		// One that can't be read counts: load tells why.
		if is, _ := isDocument(block); is {
			documents = append(documents, block)
		}
	}
	if documents == nil {
		return [][]byte{data}
	}
	return documents
}

// blocks are the code blocks in JSON or YAML, whatever stands around the marks, CRLF too. Other blocks don't matter: what
// closes one opens none of these.
func blocks(page []byte) [][]byte {
	var all [][]byte
	var block, mark []byte // mark is what opened the block, or nil
	for line := range bytes.Lines(page) {
		trimmed := bytes.TrimSpace(line)
		switch {
		case mark == nil:
			if opening := fence.FindSubmatch(trimmed); opening != nil {
				mark, block = opening[1], []byte{}
			}
		case bytes.HasPrefix(trimmed, mark) && len(bytes.Trim(trimmed, string(mark[:1]))) == 0:
			all, mark = append(all, block), nil
		default:
			block = append(block, line...)
		}
	}
	if mark != nil { // it goes to the end
		all = append(all, block)
	}
	return all
}
