package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/lmittmann/tint"
)

type log = slog.Logger

// levelCritical is above slog's own levels.
const levelCritical = slog.LevelError + 4

// newLogger makes the log of a manager or runner. Level and format are words of
// the configuration.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	lv := levelOf(level)
	if format == "console" {
		f, ok := w.(*os.File)
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: lv, TimeFormat: time.DateTime, NoColor: !ok || !colour(f),
		}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: lv, ReplaceAttr: nameLevel}))
}

func levelOf(name string) slog.Level {
	switch strings.ToUpper(name) {
	case "DEBUG":
		return slog.LevelDebug
	case "WARNING":
		return slog.LevelWarn
	case "ERROR":
		return slog.LevelError
	case "CRITICAL":
		return levelCritical
	}
	return slog.LevelInfo
}

// nameLevel writes levels with the words of the configuration.
func nameLevel(groups []string, a slog.Attr) slog.Attr {
	if a.Key != slog.LevelKey || len(groups) > 0 {
		return a
	}
	switch level, _ := a.Value.Any().(slog.Level); {
	case level >= levelCritical:
		a.Value = slog.StringValue("CRITICAL")
	case level == slog.LevelWarn:
		a.Value = slog.StringValue("WARNING")
	}
	return a
}
