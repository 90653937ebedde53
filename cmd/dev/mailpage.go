package main

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
)

//go:embed mailpage.html
var mailHTML string

//go:embed mailpage.css
var mailCSS string

// mailPolicy lets the page load its own style sheet and nothing else: mails are
// text written by strangers.
const mailPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// mailPage shows the mailbox:
//
//	GET /                    the list, and GET /messages/{id} one mail, for people
//	GET /messages.json       the list with texts, for scripts
//	GET /messages/{id}/raw   a mail as it was received
func mailPage(box *mailbox) http.Handler {
	page := template.Must(template.New("page").Funcs(template.FuncMap{"links": links}).Parse(mailHTML))
	show := func(w http.ResponseWriter, data any) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, data) // fails only when the reader has gone
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, map[string]any{"List": box.all()})
	})
	mux.HandleFunc("GET /messages/{id}", func(w http.ResponseWriter, r *http.Request) {
		m, ok := box.get(r.PathValue("id"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		show(w, map[string]any{"Mail": m})
	})
	mux.HandleFunc("GET /messages/{id}/raw", func(w http.ResponseWriter, r *http.Request) {
		m, ok := box.get(r.PathValue("id"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(m.raw)
	})
	mux.HandleFunc("GET /messages.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"items": append([]message{}, box.all()...)})
	})
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(mailCSS))
	})
	return guardPage(mux)
}

// guardPage sets the headers and refuses requests under a foreign name: the
// page shows links that sign people in, and a web site could otherwise point a
// name of its own at this machine and read them.
func guardPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAddressOrLocalhost(r.Host) {
			http.Error(w, "open this page by its address", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", mailPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func isAddressOrLocalhost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "localhost"
}

// piece is a stretch of a mail's text, or a link in it.
type piece struct{ Text, Link string }

var linkForm = regexp.MustCompile(`https?://[^\s<>"]+`)

// links cuts a text into pieces so that the template can set the links. Only
// http and https count: other schemes could do more than open a page.
func links(text string) []piece {
	var out []piece
	at := 0
	for _, span := range linkForm.FindAllStringIndex(text, -1) {
		end := span[0] + len(strings.TrimRight(text[span[0]:span[1]], ".,;:!?)]"))
		out = append(out, piece{Text: text[at:span[0]]}, piece{Text: text[span[0]:end], Link: text[span[0]:end]})
		at = end
	}
	return append(out, piece{Text: text[at:]})
}
