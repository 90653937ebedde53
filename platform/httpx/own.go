package httpx

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui/v5/static"

	"github.com/insulahq/insula/platform/errs"
)

// addOwnRoutes serves what belongs to no module: health, the API document
// and the page that shows it.
func (s *Server) addOwnRoutes(o Options) {
	s.echo.GET("/livez", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	s.echo.GET("/readyz", s.readyz(o.Ready))
	s.echo.GET("/openapi.json", s.document())
	s.echo.GET("/.well-known/jwks.json", echo.WrapHandler(o.Keys))
	s.echo.GET("/docs", docsPage)
	s.echo.GET("/docs/", docsPage)
	s.echo.GET("/docs/*", docsAsset)
}

// readyTimeout bounds the questions behind /readyz.
const readyTimeout = 3 * time.Second

func (s *Server) readyz(ready func(context.Context) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
		defer cancel()
		if s.leaving.Load() {
			return errs.ErrUnavailable.After(time.Second)
		}
		if err := ready(ctx); err != nil {
			return errs.ErrUnavailable.Because(err).After(time.Second)
		}
		return c.String(http.StatusOK, "ready\n")
	}
}

// document serves the OpenAPI document, made once: nothing changes it after Seal.
func (s *Server) document() echo.HandlerFunc {
	made := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.router.api.OpenAPI()) })
	return func(c echo.Context) error {
		doc, err := made()
		if err != nil {
			return err
		}
		return c.JSONBlob(http.StatusOK, doc)
	}
}

// Document is the OpenAPI 3.1 document as YAML, for docs/openapi.yaml.
func (s *Server) Document() ([]byte, error) { return s.router.api.OpenAPI().YAML() }

const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const docsIndex = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Insula API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

const docsStart = `window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
});
`

// docsPage shows the document with Swagger UI, from this binary alone.
func docsPage(c echo.Context) error {
	c.Response().Header().Set("Content-Security-Policy", docsPolicy)
	return c.HTML(http.StatusOK, docsIndex)
}

func docsAsset(c echo.Context) error {
	name := path.Clean("/" + c.Param("*"))[1:]
	if name == "start.js" {
		return c.Blob(http.StatusOK, "text/javascript; charset=utf-8", []byte(docsStart))
	}
	if name != "swagger-ui.css" && name != "swagger-ui-bundle.js" {
		return errs.ErrNotFound
	}
	packed, err := static.FS.Open(name + ".gz")
	if err != nil {
		return err
	}
	defer func() { _ = packed.Close() }() // embedded: nothing can go wrong
	f, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=3600")
	return c.Stream(http.StatusOK, mime.TypeByExtension(path.Ext(name)), f)
}
