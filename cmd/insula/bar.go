package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

// terminal is w if a person watches it, else nil.
func terminal(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return w
	}
	return nil
}

// barWidth is how many characters a bar has.
const barWidth = 40

// bar draws how much of something is done.
func bar(done, of int) string {
	full := barWidth * done / max(of, 1)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "]"
}

// clearBar takes a bar away before a line is printed; w is nil where there is none.
func clearBar(w io.Writer) {
	if w != nil {
		fmt.Fprint(w, "\r\x1b[K")
	}
}
