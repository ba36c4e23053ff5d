package hubauth

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minihub/minihub/hubapi"
)

// DefaultCacheAge is how long the hub's answer about a token is believed, JupyterHub's cache_max_age.
const DefaultCacheAge = 5 * time.Minute

// Options are what a service knows of its hub. FromEnv fills them from the environment.
type Options struct {
	APIURL   string // JUPYTERHUB_API_URL; required
	APIToken string // JUPYTERHUB_API_TOKEN: of the service itself, and its OAuth client secret; required
	ClientID string // JUPYTERHUB_CLIENT_ID; required for browsers

	Host        string // JUPYTERHUB_HOST: scheme and host of the hub when they are not the service's, else ""
	BaseURL     string // JUPYTERHUB_BASE_URL: of the hub; "/" when empty
	Prefix      string // JUPYTERHUB_SERVICE_PREFIX: the path of this service; "/" when empty
	ServiceURL  string // JUPYTERHUB_SERVICE_URL: where the hub wants it to listen
	CallbackURL string // JUPYTERHUB_OAUTH_CALLBACK_URL; Prefix + "oauth_callback" when empty

	// AccessScopes are the scopes of which a visitor needs one: JUPYTERHUB_OAUTH_ACCESS_SCOPES. Empty lets in nobody.
	AccessScopes []string

	CacheAge   time.Duration // 0: DefaultCacheAge; negative: ask the hub every time
	Secret     []byte        // key of the cookies; nil: a new one, so that a restart makes browsers pass by the hub again
	HTTPClient *http.Client  // for calls to the hub; nil: one with a time-out of 20 seconds
}

// Auth authenticates the visitors of one service. It may be used by many goroutines at once.
type Auth struct {
	o        Options
	callback string // path of CallbackURL
	hub      *hubapi.Client
	cache    *cache
	seal     *sealer
}

// FromEnv makes an Auth from the JUPYTERHUB_* variables that the hub sets for what it starts.
func FromEnv() (*Auth, error) {
	o := Options{
		APIURL: os.Getenv("JUPYTERHUB_API_URL"), APIToken: os.Getenv("JUPYTERHUB_API_TOKEN"), ClientID: os.Getenv("JUPYTERHUB_CLIENT_ID"),
		Host: os.Getenv("JUPYTERHUB_HOST"), BaseURL: os.Getenv("JUPYTERHUB_BASE_URL"), Prefix: os.Getenv("JUPYTERHUB_SERVICE_PREFIX"),
		ServiceURL: os.Getenv("JUPYTERHUB_SERVICE_URL"), CallbackURL: os.Getenv("JUPYTERHUB_OAUTH_CALLBACK_URL"),
	}
	if text := os.Getenv("JUPYTERHUB_OAUTH_ACCESS_SCOPES"); text != "" {
		if err := json.Unmarshal([]byte(text), &o.AccessScopes); err != nil {
			return nil, fmt.Errorf("JUPYTERHUB_OAUTH_ACCESS_SCOPES must be a JSON list of scopes: %w", err)
		}
	}
	return New(o)
}

// New makes an Auth. The error names the option that is missing or wrong.
func New(o Options) (*Auth, error) {
	for name, value := range map[string]string{"APIURL (JUPYTERHUB_API_URL)": o.APIURL, "APIToken (JUPYTERHUB_API_TOKEN)": o.APIToken} {
		if value == "" {
			return nil, fmt.Errorf("hubauth: %s is empty: the hub sets it for what it starts; set it yourself for an external service", name)
		}
	}
	o.BaseURL, o.Prefix = slashed(o.BaseURL), slashed(o.Prefix)
	if o.CallbackURL == "" {
		o.CallbackURL = o.Prefix + "oauth_callback"
	}
	callback, err := url.Parse(o.CallbackURL)
	if err != nil {
		return nil, fmt.Errorf("hubauth: CallbackURL (JUPYTERHUB_OAUTH_CALLBACK_URL): %w", err)
	}
	if o.CacheAge == 0 {
		o.CacheAge = DefaultCacheAge
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Timeout: 20 * time.Second}
	}
	if o.Secret == nil {
		o.Secret = make([]byte, 32)
		rand.Read(o.Secret) // never fails since Go 1.24
	}
	seal, err := newSealer(o.Secret)
	if err != nil {
		return nil, err
	}
	hub := hubapi.New(o.APIURL, o.APIToken, hubapi.WithHTTPClient(o.HTTPClient))
	return &Auth{o: o, callback: callback.Path, hub: hub, cache: newCache(o.CacheAge), seal: seal}, nil
}

// Hub is a client of the hub's API with the service's own token.
func (a *Auth) Hub() *hubapi.Client { return a.hub }

// Prefix is the path of the service, with a slash at both ends.
func (a *Auth) Prefix() string { return a.o.Prefix }

func slashed(path string) string {
	return "/" + strings.TrimLeft(strings.TrimRight(path, "/")+"/", "/")
}
