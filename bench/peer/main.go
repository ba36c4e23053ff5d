package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
)

func main() {
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	var err error
	switch role {
	case "server":
		err = server()
	case "backend":
		err = listen(backend())
	case "probe":
		err = probe(os.Args[2:])
	case "bar":
		err = listen(bar())
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// listen serves on a free port until standard input ends.
func listen(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(l, h)
}

// backend is behind the proxies, at any path.
func backend() http.Handler {
	small, big := []byte(strings.Repeat("small ", 20)), make([]byte, 1<<20)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := small
		switch {
		case strings.HasSuffix(r.URL.Path, "/ws"):
			echo(w, r)
			return
		case strings.HasSuffix(r.URL.Path, "/big"):
			body = big
		}
		w.Header()["X-Jupyterhub-Version"] = []string{"6.1.1"}
		w.Header()["Content-Type"] = []string{"text/plain"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
		_, _ = w.Write(body)
	})
}

// bar answers a user model, of the size of a real one.
func bar() http.Handler {
	model := []byte(`{"admin":false,"groups":[],"kind":"user","name":"user00001","pending":null,"roles":["user"],"scopes":["` + strings.Repeat("access:servers!user=user00001\",\"", 12) + `self"],"server":null,"servers":{}}`)
	mux := chi.NewRouter()
	mux.Get("/hub/api/user", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(model)
	})
	return mux
}

// server is as small as a process can be that a hub takes for a single-user server.
func server() error {
	u, err := url.Parse(os.Getenv("JUPYTERHUB_SERVICE_URL"))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", u.Host)
	if err != nil {
		return err
	}
	if pid, err := strconv.Atoi(os.Getenv("BENCH_PID")); err == nil {
		go func() {
			for syscall.Kill(pid, 0) == nil {
				time.Sleep(5 * time.Second)
			}
			os.Exit(0)
		}()
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go answer(c)
	}
}

func answer(c net.Conn) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, q.Body)
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-JupyterHub-Version: 6.1.1\r\nContent-Length: 20\r\n\r\n{\"version\": \"6.1.1\"}"); err != nil {
			return
		}
	}
}
