package httpx

import (
	"log/slog"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// APIForTest lets tests register a route around Router.
func APIForTest(s *Server) huma.API { return s.router.api }

// EchoForTest lets tests register a route around Huma.
func EchoForTest(s *Server) *echo.Echo { return s.echo }

// LogForTest is the server's log.
func LogForTest(s *Server) *slog.Logger { return s.problems.log }
