package app

import (
	"io"
	"log/slog"

	"github.com/twinlock/twinlock/internal/config"
)

// NewLog is the log that the settings ask for.
func NewLog(c config.Config, out io.Writer) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(c.LogLevel)); err != nil {
		least = slog.LevelInfo // the zero Config names none
	}
	options := &slog.HandlerOptions{Level: least}
	if c.LogFormat == config.Text {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}
