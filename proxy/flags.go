package proxy

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// StandaloneOptions are the settings of a proxy without a hub in its process: configurable-http-proxy's command line.
type StandaloneOptions struct {
	IP, Socket              string // "" and "*": all interfaces; Socket: a unix socket instead
	Port                    int    // 0: 8000
	APIIP, APISocket        string // API listener; "localhost" from ParseStandaloneFlags
	APIPort                 int    // 0: Port + 1
	AuthToken               string // CONFIGPROXY_AUTH_TOKEN; "": the API is open to everybody who reaches it
	TLS, APITLS, ClientTLS  TLSFiles
	Insecure                bool // do not verify backends' certificates
	DefaultTarget           string
	ErrorTarget, ErrorPath  string // URL asked for, or directory of, error pages
	RedirectPort            int    // plain HTTP port that redirects to HTTPS; 0: none
	RedirectTo              int    // port redirected to; 0: Port
	PIDFile                 string
	LogLevel                slog.Level
	HostRouting, NoXForward bool
	Rewrite                 RewriteOptions
	TrustedDownstream       []netip.Prefix // peers whose X-Forwarded-* headers are believed; empty: all, as configurable-http-proxy does
	Timeout                 time.Duration  // client connections without traffic are closed; 0: never
	ProxyTimeout            time.Duration  // a backend must start to answer within; 0: never
	KeepAlive               time.Duration  // idle client connections are kept; 0: NewServer's
	Log                     *slog.Logger   // nil: text on standard error at LogLevel
}

// TLSFiles name the PEM files of one TLS endpoint.
type TLSFiles struct {
	Key, Cert, CA string
	Request       bool // ask clients for a certificate
	Reject        bool // … and refuse those without a valid one
}

// refusedFlags are configurable-http-proxy's flags that cannot be honoured, with the reason.
var refusedFlags = map[string]string{
	"ssl-protocol":    "TLS 1.2 and 1.3 are always offered, older protocols are not secure",
	"ssl-ciphers":     "the Go runtime chooses among secure ciphers, there is nothing to configure",
	"ssl-dhparam":     "finite-field Diffie-Hellman is not offered, so it has no parameters",
	"metrics-ip":      "the stand-alone proxy exports no metrics, use the hub's /hub/metrics",
	"metrics-port":    "the stand-alone proxy exports no metrics, use the hub's /hub/metrics",
	"metrics-socket":  "the stand-alone proxy exports no metrics, use the hub's /hub/metrics",
	"storage-backend": "it names a JavaScript module; routes are kept in memory and the hub restores them",
}

// ParseStandaloneFlags parses configurable-http-proxy's flags (--name value and --name=value) and its environment variable
// CONFIGPROXY_AUTH_TOKEN. Flags that are not supported are an error that says why. flag.ErrHelp is returned for --help, after the
// flags have been printed to standard error.
func ParseStandaloneFlags(args []string) (StandaloneOptions, error) {
	o := StandaloneOptions{APIIP: "localhost", AuthToken: os.Getenv("CONFIGPROXY_AUTH_TOKEN")}
	fs := flag.NewFlagSet("proxy", flag.ContinueOnError)
	o.listenFlags(fs)
	o.tlsFlags(fs)
	o.routingFlags(fs)
	for name, reason := range refusedFlags {
		fs.Func(name, "not supported: "+reason, func(string) error { return fmt.Errorf("not supported: %s", reason) })
	}
	fs.BoolFunc("ssl-allow-rc4", "not supported", func(string) error { return errors.New("not supported: RC4 is broken") })
	if err := fs.Parse(args); err != nil {
		return StandaloneOptions{}, err
	}
	if fs.NArg() > 0 {
		return StandaloneOptions{}, fmt.Errorf("unexpected argument %q: every setting is a --flag", fs.Arg(0))
	}
	return o, o.validate(fs)
}

func (o *StandaloneOptions) listenFlags(fs *flag.FlagSet) {
	fs.StringVar(&o.IP, "ip", "", "public `address` of the proxy")
	port(fs, &o.Port, "port", "public port of the proxy (8000)")
	fs.StringVar(&o.Socket, "socket", "", "unix socket `path` to listen on instead of --ip and --port")
	fs.StringVar(&o.APIIP, "api-ip", o.APIIP, "`address` of the API")
	port(fs, &o.APIPort, "api-port", "port of the API (--port + 1)")
	fs.StringVar(&o.APISocket, "api-socket", "", "unix socket `path` for the API")
	port(fs, &o.RedirectPort, "redirect-port", "plain HTTP port that redirects to HTTPS")
	port(fs, &o.RedirectTo, "redirect-to", "port that --redirect-port redirects to (--port)")
	fs.StringVar(&o.PIDFile, "pid-file", "", "`file` for the process id")
	fs.Func("log-level", "debug, info, warn or error (info)", func(s string) error {
		switch s = strings.ToLower(s); s {
		case "debug", "info", "warn", "error":
			return o.LogLevel.UnmarshalText([]byte(s))
		}
		return errors.New("must be debug, info, warn or error")
	})
	millis(fs, &o.Timeout, "timeout", "close client connections without traffic for `ms`")
	millis(fs, &o.ProxyTimeout, "proxy-timeout", "give up on backends that do not start to answer in `ms`")
	millis(fs, &o.KeepAlive, "keep-alive-timeout", "keep idle client connections for `ms`")
}

func (o *StandaloneOptions) tlsFlags(fs *flag.FlagSet) {
	for prefix, f := range map[string]*TLSFiles{"ssl": &o.TLS, "api-ssl": &o.APITLS, "client-ssl": &o.ClientTLS} {
		fs.StringVar(&f.Key, prefix+"-key", "", "private key `file`")
		fs.StringVar(&f.Cert, prefix+"-cert", "", "certificate `file`")
		fs.StringVar(&f.CA, prefix+"-ca", "", "certificate authority `file`")
		fs.BoolVar(&f.Request, prefix+"-request-cert", false, "ask for certificates")
		fs.BoolVar(&f.Reject, prefix+"-reject-unauthorized", false, "refuse peers without a valid certificate")
	}
	fs.BoolVar(&o.Insecure, "insecure", false, "do not verify backends' certificates")
}

func (o *StandaloneOptions) routingFlags(fs *flag.FlagSet) {
	fs.StringVar(&o.DefaultTarget, "default-target", "", "`URL` that gets what has no route")
	fs.StringVar(&o.ErrorTarget, "error-target", "", "`URL` asked for error pages, as URL/404?url=/path")
	fs.StringVar(&o.ErrorPath, "error-path", "", "`directory` of error pages: 404.html, 503.html, error.html")
	fs.BoolVar(&o.HostRouting, "host-routing", false, "routes start with a host")
	fs.BoolVar(&o.NoXForward, "no-x-forward", false, "do not add X-Forwarded-* headers")
	fs.BoolVar(&o.Rewrite.IgnoreTarget, "no-prepend-path", false, "do not put targets' paths in front")
	fs.BoolVar(&o.Rewrite.StripPrefix, "no-include-prefix", false, "remove the route's prefix from paths")
	fs.BoolVar(&o.Rewrite.AutoLocation, "auto-rewrite", false, "rewrite the host of redirects to the target")
	fs.StringVar(&o.Rewrite.LocationScheme, "protocol-rewrite", "", "rewrite the `scheme` of redirects to the target")
	fs.BoolVar(&o.Rewrite.ChangeOrigin, "change-origin", false, "send the target's host as Host")
	fs.Func("trusted-downstream", "believe X-Forwarded-* only of peers in `CIDR`, repeatable (minihub's own flag)", func(s string) error {
		p, err := netip.ParsePrefix(s)
		if addr, addrErr := netip.ParseAddr(s); addrErr == nil {
			p, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return errors.New("must be an address or a network such as 10.0.0.0/8")
		}
		o.TrustedDownstream = append(o.TrustedDownstream, p)
		return nil
	})
	fs.Func("custom-header", "`name:value` to add to requests, repeatable", func(s string) error {
		name, value, ok := strings.Cut(strings.TrimSpace(s), ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return errors.New("must be name:value")
		}
		if o.Rewrite.Headers == nil {
			o.Rewrite.Headers = http.Header{}
		}
		o.Rewrite.Headers.Set(name, strings.TrimSpace(value))
		return nil
	})
}

// validate finds settings that contradict each other.
func (o *StandaloneOptions) validate(fs *flag.FlagSet) error {
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	var errs []error
	for _, pair := range [][2]string{
		{"socket", "ip"}, {"socket", "port"}, {"api-socket", "api-ip"}, {"api-socket", "api-port"}, {"error-target", "error-path"},
	} {
		if set[pair[0]] && set[pair[1]] {
			errs = append(errs, fmt.Errorf("--%s and --%s exclude each other", pair[0], pair[1]))
		}
	}
	if o.RedirectPort != 0 && o.TLS.Cert == "" {
		errs = append(errs, errors.New("--redirect-port redirects to HTTPS, which needs --ssl-key and --ssl-cert"))
	}
	for prefix, f := range map[string]TLSFiles{"ssl": o.TLS, "api-ssl": o.APITLS, "client-ssl": o.ClientTLS} {
		if (f.Key == "") != (f.Cert == "") {
			errs = append(errs, fmt.Errorf("--%[1]s-key and --%[1]s-cert are only useful together", prefix))
		}
	}
	for _, env := range []string{"CONFIGPROXY_SSL_KEY_PASSPHRASE", "CONFIGPROXY_API_SSL_KEY_PASSPHRASE"} {
		if os.Getenv(env) != "" {
			errs = append(errs, fmt.Errorf("%s is set, but encrypted keys are not supported: decrypt the key file", env))
		}
	}
	for name, target := range map[string]string{"default-target": o.DefaultTarget, "error-target": o.ErrorTarget} {
		if target != "" {
			if _, err := parseTarget(target); err != nil {
				errs = append(errs, fmt.Errorf("--%s: %w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}

func port(fs *flag.FlagSet, p *int, name, usage string) {
	fs.Func(name, usage, func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > 65535 {
			return errors.New("must be a port, 0 to 65535")
		}
		*p = n
		return nil
	})
}

func millis(fs *flag.FlagSet, d *time.Duration, name, usage string) {
	fs.Func(name, usage, func(s string) error {
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil || n < 0 {
			return errors.New("must be a number of milliseconds")
		}
		*d = time.Duration(n) * time.Millisecond
		return nil
	})
}
