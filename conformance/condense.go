package conformance

import (
	"bytes"
	"strconv"

	"github.com/aimlvideo/wan-go/spec/media"
)

// maxCondensed caps the kept part of a JSON text in bytes.
const maxCondensed = 1 << 20

// A condenser removes the data of data URIs from a JSON text as it streams, so that bodies of any size are validated in
// little memory. It validates the base64 itself: the rest is valid if and only if the whole was. Data that isn't base64
// stays, after a character that makes it invalid.
type condenser struct {
	text     bytes.Buffer
	size     int64 // bytes seen
	overflow bool  // the text exceeds maxCondensed

	open     []byte // open brackets
	isName   bool   // the next string is a member name
	inString bool
	escaped  bool
	start    int // of the string in text
	data     *base64Data
}

// base64Data is the data of a data URI. Only its first characters are kept.
type base64Data struct {
	length  int64
	padding int
	escape  []byte // incomplete
}

const base64Mark = ";base64,"

func (c *condenser) Write(p []byte) (int, error) {
	c.size += int64(len(p))
	for _, b := range p {
		c.next(b)
	}
	return len(p), nil
}

func (c *condenser) next(b byte) {
	switch {
	case c.data != nil && (b != '"' || len(c.data.escape) > 0):
		c.nextData(b)
		return
	case c.escaped:
		c.escaped = false
	case c.inString && b == '\\':
		c.escaped = true
	case b == '"' && c.inString:
		c.inString = false
		c.endData()
	case b == '"':
		c.inString = true
		c.keep(b)
		c.start = c.text.Len()
		return
	case !c.inString:
		c.nest(b)
	}
	c.keep(b)
	if b == ',' && c.inString && !c.isName && !c.overflow {
		if s := c.text.Bytes()[c.start:]; media.IsDataURI(string(s[:min(len(s), len("data:"))])) && bytes.HasSuffix(s, []byte(base64Mark)) {
			c.data = new(base64Data)
		}
	}
}

// nest tracks brackets to distinguish names from values.
func (c *condenser) nest(b byte) {
	switch b {
	case '{', '[':
		if len(c.open) <= maxDepth { // deeper nesting is invalid anyway
			c.open = append(c.open, b)
		}
	case '}', ']':
		c.open = c.open[:max(0, len(c.open)-1)]
	case ',', ':':
	default:
		return
	}
	c.isName = b == '{' || b == ',' && bytes.HasSuffix(c.open, []byte("{"))
}

// keptData is the number of characters that are kept: valid base64.
const keptData = 4

func (c *condenser) nextData(b byte) {
	d := c.data
	if len(d.escape) > 0 || b == '\\' {
		d.escape = append(d.escape, b)
		var complete bool
		if b, complete = unescape(d.escape); !complete {
			return
		}
	}
	switch {
	case b == '=':
		d.padding++
	case !isBase64(b) || d.padding > 0: // an ordinary string from here on
		c.data = nil
		c.keep('*')
		if len(d.escape) == 0 {
			c.next(b)
		}
		for _, b := range d.escape {
			c.next(b)
		}
		return
	}
	d.escape = d.escape[:0]
	if d.length < keptData {
		c.keep(b)
	}
	d.length++
}

func isBase64(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/'
}

// unescape returns the base64 character of a complete escape, or '*' if it isn't one.
func unescape(text []byte) (b byte, complete bool) {
	switch {
	case len(text) == 1:
		return 0, false
	case text[1] == '/': // some encoders escape slashes
		return '/', true
	case text[1] != 'u':
		return '*', true
	case len(text) < len(`\u002B`): // others escape plus signs
		return 0, false
	}
	code, err := strconv.ParseUint(string(text[2:]), 16, 8)
	if err != nil {
		return '*', true
	}
	return byte(code), true
}

func (c *condenser) endData() {
	if d := c.data; d != nil && (d.padding > 2 || d.length%4 != 0) {
		c.keep('*') // not base64
	}
	c.data = nil
}

func (c *condenser) keep(b byte) {
	if c.overflow {
		return
	}
	if c.text.Len() >= maxCondensed {
		c.overflow, c.text = true, bytes.Buffer{} // free it
		return
	}
	c.text.WriteByte(b)
}
