package httpx

import (
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// APIForTest lets tests register a route around Router.
func APIForTest(s *Server) huma.API { return s.router.api }

// EchoForTest lets tests register a route around Huma.
func EchoForTest(s *Server) *echo.Echo { return s.echo }

// HurryForTest makes the server give clients less time.
func HurryForTest(s *Server, patience time.Duration) { s.patience = patience }

// LogForTest is the server's log.
func LogForTest(s *Server) *slog.Logger { return s.problems.log }
