package conformance

import (
	"bytes"
	"io"
	"os"
)

// maxSpooled caps the part of a body that is held in memory. The rest goes to a temporary file.
const maxSpooled = 1 << 20

// spool reads all of a body, writes it to w as well, and returns a reader of the same bytes.
func spool(body io.Reader, w io.Writer) (io.ReadCloser, error) {
	var head bytes.Buffer
	if _, err := io.Copy(io.MultiWriter(&head, w), io.LimitReader(body, maxSpooled)); err != nil {
		return nil, err
	}
	if head.Len() < maxSpooled {
		return io.NopCloser(&head), nil
	}
	file, err := os.CreateTemp("", "conformance-body-*")
	if err != nil {
		return nil, err
	}
	spooled := &spooledBody{io.MultiReader(&head, file), file}
	if _, err = io.Copy(io.MultiWriter(file, w), body); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = spooled.Close()
		return nil, err
	}
	return spooled, nil
}

// A spooledBody removes its file when it is closed.
type spooledBody struct {
	io.Reader

	file *os.File
}

func (b *spooledBody) Close() error {
	_ = b.file.Close()
	return os.Remove(b.file.Name())
}
