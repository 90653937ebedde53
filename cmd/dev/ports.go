package main

import (
	"fmt"
	"net"
)

// portTries bounds the search for a free port.
const portTries = 100

// claim returns an address that is free now: a itself, or, when nobody chose a,
// the next free port after it. Port 0 stands for any.
func claim(a address, what string, say *progress) (address, error) {
	wanted := a.port
	for range portTries {
		l, err := net.Listen("tcp", a.String())
		if err == nil {
			a.port = l.Addr().(*net.TCPAddr).Port // the system's choice, when a leaves it to it
			if wanted != 0 && a.port != wanted {
				say.line("port %d is busy, %s takes %d (%s chooses)", wanted, what, a.port, a.name)
			}
			return a, l.Close()
		}
		if a.chosen {
			return a, fmt.Errorf("%s cannot listen on %s (%s): %w", what, a, a.name, err)
		}
		a.port++
	}
	return a, fmt.Errorf("%s found no free port from %d to %d", what, wanted, a.port-1)
}
