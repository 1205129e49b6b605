package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// A noticeHandler shows the client's warnings about downloads, which may retry for minutes. Submissions and polls have
// callbacks of their own.
type noticeHandler struct{ connection *connection }

func (h *noticeHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

func (h *noticeHandler) Handle(_ context.Context, record slog.Record) error {
	download := strings.HasPrefix(record.Message, "download") || strings.HasPrefix(record.Message, "the video")
	if !download || h.connection.notice == nil {
		return nil
	}
	text := record.Message
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "bytes":
			text += " at " + size(a.Value.Int64())
		case "error":
			text += fmt.Sprintf(": %v", a.Value)
		}
		return true
	})
	h.connection.notice(text)
	return nil
}

func (h *noticeHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *noticeHandler) WithGroup(string) slog.Handler { return h }
