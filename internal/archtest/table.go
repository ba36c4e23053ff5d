package archtest

// module is the module path; imports that start with it are ours.
const module = "github.com/minihub/minihub"

// anyPackage in a row of allowed means that every package of the module may be imported.
const anyPackage = "*"

// everywhere lists the packages that any other may import.
var everywhere = []string{"internal/urlpath", "internal/metrics"}

// allowed is the package map of ARCHITECTURE.md §1: for each package the packages of this module that it may
// import beside those of everywhere. A package without a row is a problem of its own.
var allowed = map[string][]string{
	"cmd/minihub":              {"app", "config", "devserver", "hubtest", "hubtest/idp"},
	"app":                      {anyPackage},
	"config":                   {},
	"orm":                      {},
	"rbac":                     {},
	"auth":                     {},
	"spawner":                  {},
	"spawner/local":            {"spawner", "internal/supervise"},
	"spawner/toy":              {"spawner"},
	"spawner/docker":           {"spawner"},
	"spawner/kubernetes":       {"spawner"},
	"spawner/systemd":          {"spawner"},
	"spawner/spawnertest":      {"spawner"},
	"proxy":                    {},
	"hub":                      {"orm", "rbac", "auth", "spawner"},
	"oauthprovider":            {"hub", "orm", "rbac"},
	"services":                 {"hub", "orm", "rbac", "internal/supervise"},
	"internal/httpmw":          {"hub", "orm", "rbac"},
	"api":                      {"hub", "orm", "rbac", "services", "auth", "oauthprovider", "hubapi", "internal/httpmw", "internal/openapi"},
	"web":                      {"hub", "orm", "rbac", "services", "auth", "spawner", "internal/httpmw"},
	"pybridge":                 {"auth", "spawner", "internal/supervise"},
	"hubapi":                   {},
	"hubauth":                  {"hubapi"},
	"hubtest":                  {"app", "config", "hubapi", "hubauth", "spawner", "spawner/spawnertest"},
	"internal/supervise":       {},
	"internal/urlpath":         {},
	"internal/openapi":         {},
	"internal/freeport":        {},
	"internal/metrics":         {},
	"internal/archtest":        {},
	"internal/advisories":      {anyPackage},
	"internal/deps":            {},
	"bench":                    {"orm"},
	"bench/peer":               {},
	"e2e":                      {"hubapi", "e2e/harness", "hubtest/idp"},
	"examples/whoami":          {"hubauth"},
	"e2e/harness":              {"hubapi", "internal/freeport"},
	"e2e/browser":              {"hubapi", "e2e/harness"},
	"hubtest/idp":              {},
	"devserver":                {"app", "hubapi", "hubtest", "internal/httpmw", "internal/supervise", "devserver/inspector", "devserver/trace"},
	"devserver/inspector":      {"app", "hub", "web", "internal/httpmw", "devserver/trace"},
	"devserver/trace":          {},
	"e2e/plugins":              {"hubapi", "e2e/harness", "hubtest/idp"},
	"e2e/testdata/lightserver": {},
}

// confined names packages from outside the module (a prefix of the import path) and the only folders that may
// import them.
var confined = []struct {
	prefix, reason string
	folders        []string
}{
	{"gorm.io/", "the store is the only user of GORM", []string{"orm"}},
	{"github.com/go-oauth2/", "only the OAuth provider knows its library", []string{"oauthprovider"}},
	{"github.com/moby/", "only the Docker spawner talks to Docker", []string{"spawner/docker"}},
	{"github.com/docker/", "only the Docker spawner talks to Docker", []string{"spawner/docker"}},
	{"github.com/fsnotify/", "only minihub dev watches files", []string{"devserver"}},
	{"k8s.io/", "only the Kubernetes spawner talks to Kubernetes", []string{"spawner/kubernetes"}},
	{"github.com/chromedp/", "browsers belong to the tests", []string{"e2e/browser"}},
}

// forbidden names imports that a folder must not have.
var forbidden = []struct {
	folder, path, reason string
}{
	{"hub", "net/http", "use cases know nothing of HTTP: declare a small interface and let app plug it in"},
	{"hub", "encoding/json", "use cases know nothing of JSON: values come in and go out as Go types"},
	{"rbac", "net/http", "scopes are pure values"},
	{"orm", "net/http", "the store knows nothing of HTTP"},
}

// owned names folders of this module that one file alone may import, beside the folders themselves.
var owned = []struct{ folder, file, reason string }{
	{"devserver", "cmd/minihub/dev.go", "a hub that anybody can log in to must not be a part of one that serves people"},
}

// switches are fields that only one folder may set: what they switch on must not be reachable otherwise.
var switches = []struct{ field, folder, reason string }{
	{"Inspect", "devserver", "app.Options.Inspect records requests and adds the routes of /hub/dev, which nobody but minihub dev may have"},
}

// promised lists the packages that outside users may build upon; the other top-level packages say in their
// comment that they give no compatibility promise.
var promised = []string{"hubapi", "hubauth", "hubtest", "spawner", "auth"}

// tables lists the files that are pure tables and may therefore have up to maxTableLines lines.
var tables = []string{
	"api/routes.go",
	"api/fields.go",
	"web/routes.go",
	"rbac/definitions.go",
	"config/traits.go",
	"orm/models.go",
}

// Sizes of ARCHITECTURE.md §7.
const (
	maxFileLines        = 400
	maxTableLines       = 600
	maxFuncLines        = 60
	maxInterfaceMethods = 8
	maxConstructorArgs  = 8
)
