package devserver

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// DefaultPort is where the hub is when it is free, and nobody says otherwise.
const DefaultPort = 8000

// Options describe a hub for development. The zero value is one without services.
type Options struct {
	IP       string // a loopback address; "" is 127.0.0.1
	Port     int    // 0: DefaultPort or the next free one
	Admins   []string
	DB       string // file; "": in memory
	Spawner  string // "toy", "simple", or another class that is built in; "": simple when jupyterhub-singleuser is in PATH, else toy
	Services []Service
	NoWatch  bool      // services are not restarted when files change
	Out      io.Writer // what to do; nil: nobody reads it
	Log      io.Writer // the lines of all parts; nil: nobody reads them
	Colours  bool      // of Log
}

// Service is a service under development.
type Service struct {
	Name    string
	URL     string   // where it listens; "" for one without web pages
	Command []string // nil: somebody else runs it
	Scopes  []string // of its token, beside none
}

// ParseService reads "name=url -- command args", "name -- command args" or "name=url". Words of the command are split as a shell does, with
// quotes and backslashes, but nothing is expanded.
func ParseService(text string) (Service, error) {
	head, command, hasCommand := strings.Cut(text, " -- ")
	name, address, hasURL := strings.Cut(strings.TrimSpace(head), "=")
	s := Service{Name: name, URL: strings.TrimSpace(address)}
	if name == "" || strings.ContainsAny(name, " /?#%") {
		return s, fmt.Errorf("service %q: it must begin with a name: name=http://127.0.0.1:9999 -- command", text)
	}
	if !hasURL && !hasCommand {
		return s, fmt.Errorf("service %s: give its address, its command, or both: %s=http://127.0.0.1:9999 -- command", name, name)
	}
	if hasURL {
		u, err := url.Parse(s.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return s, fmt.Errorf("service %s: %q is no address such as http://127.0.0.1:9999", name, s.URL)
		}
		if u.Port() == "" {
			return s, fmt.Errorf("service %s: the address %s needs a port", name, s.URL)
		}
	}
	if !hasCommand {
		return s, nil
	}
	words, err := splitWords(command)
	if err == nil && len(words) == 0 {
		err = errors.New("there is no command after --")
	}
	if err != nil {
		return s, fmt.Errorf("service %s: %w", name, err)
	}
	s.Command = words
	return s, nil
}

// check says what cannot be meant, before anything is opened.
func (o *Options) check() error {
	if o.IP == "" {
		o.IP = "127.0.0.1"
	}
	if a, err := netip.ParseAddr(o.IP); err != nil || !a.IsLoopback() {
		return fmt.Errorf("minihub dev does not listen at %s: it lets anybody in with any password, so it is reachable from this machine only (127.0.0.1 or ::1); use minihub with a configuration to serve others", o.IP)
	}
	if o.Port < 0 || o.Port > 65535 {
		return fmt.Errorf("port %d: ports are numbers from 1 to 65535", o.Port)
	}
	seen := map[string]bool{}
	for _, s := range o.Services {
		if seen[s.Name] || s.Name == ownService {
			return fmt.Errorf("service %s: the name is taken", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// ownService is the name of the service that minihub dev is for the hub.
const ownService = "hubtest"

// triedPorts is how many ports are tried.
const triedPorts = 100

// freePort finds a port at an address.
func freePort(ip string, port int) (string, error) {
	wanted, last := port, port
	if wanted == 0 {
		wanted, last = DefaultPort, DefaultPort+triedPorts-1
	}
	var err error
	for n := wanted; n <= last; n++ {
		address := net.JoinHostPort(ip, strconv.Itoa(n))
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	if port == 0 {
		return "", fmt.Errorf("no port from %d to %d is free: %w; choose one with --port", wanted, last, err)
	}
	return "", fmt.Errorf("port %d: %w; choose another one with --port, or none for the next free one", port, err)
}

// onLoopback says whether a listener can be reached from this machine only.
func onLoopback(l net.Listener) error {
	a, err := netip.ParseAddrPort(l.Addr().String())
	if l.Addr().Network() == "unix" {
		return nil
	}
	if err != nil || !a.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("minihub dev does not listen at %s, which other machines can reach", l.Addr())
	}
	return nil
}

// splitWords splits a command line as a shell does.
func splitWords(text string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	inWord, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			if quote == '"' && c != '"' && c != '\\' && c != '$' && c != '`' {
				word.WriteRune('\\')
			}
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote of the command is not closed, or it ends with a backslash")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
