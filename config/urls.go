package config

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// URLs are the addresses that follow from the configuration. Base URLs start and end with a slash.
type URLs struct {
	BindURL       string // BindURL is where the public proxy listens, for example http://:8000/ or http+unix://%2Frun%2Fhub.sock.
	BaseURL       string // BaseURL is the path prefix of everything, percent-encoded.
	HubPrefix     string // HubPrefix is BaseURL + "hub/".
	HubRoutespec  string // HubRoutespec is the route of the hub in the proxy.
	HubBindURL    string // HubBindURL is where the hub listens privately; host "", "*", 0.0.0.0 or [::] is all interfaces.
	HubURL        string // HubURL is how others reach the hub, with HubPrefix.
	HubHost       string // HubHost is scheme and address of HubURL: the target of the hub's route.
	HubAPIURL     string // HubAPIURL is HubURL + "api".
	PublicURL     string // PublicURL is the fixed public URL with BaseURL, or "".
	PublicHost    string // PublicHost is scheme and host of PublicURL, else subdomain_host, else "".
	Domain        string // Domain is the host name that user subdomains hang on, or "".
	ProxyAPIURL   string // ProxyAPIURL is where the proxy's REST API listens.
	HubCookieName string // HubCookieName is the name of the login cookie.
}

// ComputeURLs derives all addresses. hostname is what others call this machine (os.Hostname); it is used when the hub
// listens on all interfaces. Errors name the trait whose value is not a URL.
func ComputeURLs(c *Config, hostname string) (URLs, error) {
	hub := &c.JupyterHub
	u := URLs{
		BaseURL: string(hub.BaseURL), HubPrefix: string(hub.BaseURL) + "hub/", HubRoutespec: hub.HubRoutespec,
		PublicURL: hub.PublicURL, ProxyAPIURL: c.ProxyTraits().APIURL, HubCookieName: "jupyterhub-hub-login",
	}
	if hub.CookieHostPrefixEnabled {
		u.HubCookieName = "__Host-" + u.HubCookieName
	}
	var err error
	if u.BindURL, err = publicBind(c); err != nil {
		return URLs{}, fmt.Errorf("JupyterHub.bind_url: %w", err)
	}
	if err := u.public(hub); err != nil {
		return URLs{}, err
	}
	if err := u.private(hub, hostname); err != nil {
		return URLs{}, err
	}
	u.HubAPIURL = u.HubURL + "api"
	if !strings.HasSuffix(u.HubURL, "/") {
		u.HubAPIURL = u.HubURL + "/api"
	}
	return u, nil
}

// publicBind combines bind_url with ip, port and base_url: when one of the three is set, all of them replace what bind_url says.
func publicBind(c *Config) (string, error) {
	hub := &c.JupyterHub
	bind := withScheme(hub.BindURL, hub.SSLCert != "")
	b, err := splitURL(bind)
	if err != nil || hub.IP == "" && hub.Port == 8000 && (!c.Given("JupyterHub", "base_url") || hub.BaseURL == "/") {
		return bind, err
	}
	b.netloc = joinHost(hub.IP, hub.Port)
	b.path = string(hub.BaseURL)
	return withScheme(b.String(), hub.SSLCert != ""), nil
}

// withScheme forces http or https by whether there is a certificate; unix sockets keep theirs.
func withScheme(raw string, tls bool) string {
	scheme, rest, found := strings.Cut(raw, "://")
	want := "http"
	if tls {
		want = "https"
	}
	switch {
	case !found:
		return want + "://" + raw
	case scheme == "unix+http" || scheme == "http+unix":
		return "http+unix://" + rest
	}
	return want + "://" + rest
}

func (u *URLs) public(hub *JupyterHub) error {
	source := hub.PublicURL
	u.PublicHost = hub.SubdomainHost
	trait := "JupyterHub.public_url"
	if source == "" || source == hub.SubdomainHost+string(hub.BaseURL) {
		source, trait = hub.SubdomainHost, "JupyterHub.subdomain_host"
	}
	if source == "" {
		return nil
	}
	p, err := splitURL(source)
	if err != nil {
		return fmt.Errorf("%s: %w", trait, err)
	}
	host, _, err := p.hostPort()
	if err != nil || host == "" {
		return fmt.Errorf("%s: it has no host", trait)
	}
	u.Domain = strings.ToLower(host)
	if hub.PublicURL != "" {
		u.PublicHost = p.scheme + "://" + p.netloc
	}
	return nil
}

// private computes where the hub listens and how it is reached, in JupyterHub's order: hub_connect_url, then hub_connect_ip and
// hub_connect_port, then the machine's name when the hub listens on all interfaces, then the address it listens on.
func (u *URLs) private(hub *JupyterHub, hostname string) error {
	proto, ip, port, bind := "http", hub.HubIP, hub.HubPort, ""
	connect := ""
	if hub.HubBindURL != "" {
		b, err := splitURL(hub.HubBindURL)
		if err != nil {
			return fmt.Errorf("JupyterHub.hub_bind_url: %w", err)
		}
		b.path, proto = u.HubPrefix, b.scheme
		bind = b.String()
		if proto == "http+unix" {
			connect = proto + "://" + b.netloc + u.HubPrefix
		} else if ip, port, err = b.hostPort(); err != nil {
			return fmt.Errorf("JupyterHub.hub_bind_url: %w", err)
		}
	}
	connectIP, all := ip, ip == "" || ip == "0.0.0.0" || ip == "::"
	if all {
		connectIP = hostname
	}
	if hub.HubConnectIP != "" {
		connectIP = hub.HubConnectIP
	}
	connectPort := port
	if hub.HubConnectPort != 0 {
		connectPort = hub.HubConnectPort
	}
	if hub.HubConnectURL != "" {
		c, err := splitURL(hub.HubConnectURL)
		if err != nil {
			return fmt.Errorf("JupyterHub.hub_connect_url: %w", err)
		}
		c.path = u.HubPrefix
		connect = c.String()
	}
	if hub.InternalSSL {
		proto = "https"
	}
	if connect == "" {
		connect = proto + "://" + joinHost(connectIP, connectPort) + u.HubPrefix
	}
	if bind == "" {
		bind = implicitBind(connect, connectIP, ip, all)
	}
	c, err := splitURL(connect)
	u.HubBindURL, u.HubURL, u.HubHost = bind, connect, c.scheme+"://"+c.netloc
	return err
}

// implicitBind is where the hub listens without hub_bind_url: at the very URL that others connect to, hub_connect_* included
// (so hub_connect_ip = "172.17.0.1" alone makes a hub that containers reach), with the wildcard in place of the machine's name.
func implicitBind(connect, connectIP, ip string, all bool) string {
	if !all {
		return connect
	}
	wildcard := map[string]string{"": "*", "::": "[::]"}[ip]
	if wildcard == "" {
		wildcard = ip
	}
	return strings.Replace(connect, connectIP, wildcard, 1)
}

// joinHost writes [v6]:port, or host:port with an empty host for all interfaces.
func joinHost(host string, port int) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// rawURL is a URL cut into the parts that configuration changes; net/url refuses http+unix hosts with %2F.
type rawURL struct{ scheme, netloc, path, rest string }

var (
	errNoScheme = errors.New("it is not a URL; write scheme://host:port")
	errPort     = errors.New("the port is not a number from 0 to 65535")
)

func splitURL(raw string) (rawURL, error) {
	scheme, after, found := strings.Cut(raw, "://")
	if !found || scheme == "" {
		return rawURL{}, errNoScheme
	}
	var u rawURL
	u.scheme = strings.ToLower(scheme)
	if at := strings.IndexAny(after, "?#"); at >= 0 {
		after, u.rest = after[:at], after[at:]
	}
	u.netloc, u.path, found = strings.Cut(after, "/")
	if found {
		u.path = "/" + u.path
	}
	if strings.ContainsAny(u.netloc, " \t\r\n\\") {
		return rawURL{}, errors.New("its host holds a character that no host has")
	}
	return u, nil
}

func (u rawURL) String() string { return u.scheme + "://" + u.netloc + u.path + u.rest }

// hostPort returns the host without brackets and the port, by default that of the scheme.
func (u rawURL) hostPort() (string, int, error) {
	netloc := strings.ToLower(u.netloc)[strings.LastIndexByte(u.netloc, '@')+1:]
	port := 80
	if u.scheme == "https" {
		port = 443
	}
	if !strings.Contains(netloc, ":") || strings.HasSuffix(netloc, "]") {
		return strings.Trim(netloc, "[]"), port, nil
	}
	host, text, err := net.SplitHostPort(netloc)
	if err != nil {
		return "", 0, errors.New("its host and port cannot be told apart; write [v6]:port for IPv6")
	}
	if text == "" {
		return host, port, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 65535 {
		return "", 0, errPort
	}
	return host, n, nil
}
