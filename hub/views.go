package hub

import (
	"cmp"
	"context"
	"slices"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// ServerView is one server: its row and its live state.
type ServerView struct {
	orm.Spawner
	UserName        string
	Addr            *orm.Server // nil when not running
	Pending         string      // "", "spawn", "stop", "check", "rename"
	Ready           bool
	Active          bool   // pending or ready
	Failed          *Error // last failed start, until the next explicit one
	FailedDiagnosis *spawner.Diagnosis
	URLPath         string // "/user/name/server/" with base_url in front, percent-encoded
	Host            string // scheme://host when the user has a subdomain, else ""
}

// View returns one server. The default server always exists; another one that does not is NotFound.
func (s *Servers) View(ctx context.Context, user *orm.User, name string) (*ServerView, error) {
	row, err := s.row(ctx, user, name)
	if err != nil {
		if name != "" || KindOf(err) != NotFound {
			return nil, err
		}
		row = &orm.Spawner{UserID: user.ID}
	}
	v := s.view(user, *row)
	return &v, nil
}

// Views returns all servers of users by user id, the default server first, then by name. One query in all.
func (s *Servers) Views(ctx context.Context, users []orm.User) (map[int64][]ServerView, error) {
	ids := make([]int64, len(users))
	for i := range users {
		ids[i] = users[i].ID
	}
	rows, err := s.o.Store.SpawnersOfUsers(ctx, ids)
	if err != nil {
		return nil, storeErr(err, "load servers of users")
	}
	out := make(map[int64][]ServerView, len(users))
	for i := range users {
		out[users[i].ID] = s.ViewsOf(&users[i], rows[users[i].ID])
	}
	return out, nil
}

// ViewsOf is Views for the rows of one user.
func (s *Servers) ViewsOf(u *orm.User, rows []orm.Spawner) []ServerView {
	list := make([]ServerView, 0, len(rows)+1)
	hasDefault := false
	for _, row := range rows {
		hasDefault = hasDefault || row.Name == ""
		list = append(list, s.view(u, row))
	}
	if !hasDefault {
		list = append(list, s.view(u, orm.Spawner{UserID: u.ID}))
	}
	slices.SortFunc(list, func(a, b ServerView) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func (s *Servers) view(user *orm.User, row orm.Spawner) ServerView {
	v := ServerView{Spawner: row, UserName: user.Name, URLPath: s.URLPath(user.Name, row.Name), Host: s.o.Traits.URLs.host(user.Name)}
	l := s.find(user.ID, row.Name)
	if l == nil {
		return v
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	v.Pending, v.Ready = l.stage.pending(), l.stage == ready
	v.Active = v.Ready || v.Pending != ""
	v.Addr, v.Failed, v.FailedDiagnosis = l.addr, l.failed, l.diag
	if v.Addr != nil {
		v.URLPath = v.Addr.BaseURL // where it really is, also after its user was renamed
	}
	return v
}

// PendingIDs are the spawner rows with something pending; they count as active in user lists.
func (s *Servers) PendingIDs() []int64 {
	var ids []int64
	for _, l := range s.all() {
		l.mu.Lock()
		if l.stage.pending() != "" {
			ids = append(ids, l.spawnID)
		}
		l.mu.Unlock()
	}
	return ids
}

// Counts returns how many servers are being started, and how many are active in any way. Starts that did not pass the limits yet are neither.
func (s *Servers) Counts() (spawning, active int) {
	for _, l := range s.all() {
		l.mu.Lock()
		switch l.stage {
		case stopped, gone:
		case starting:
			if l.admitted {
				spawning++
				active++
			}
		default:
			active++
		}
		l.mu.Unlock()
	}
	return spawning, active
}

// URL is the address of the server as browsers use it: a path of the hub's host, or a whole URL with subdomains.
func (v *ServerView) URL() string { return v.Host + v.URLPath }

// WantedRoute is a route that the proxy must have.
type WantedRoute struct {
	Target string
	Data   map[string]any
}

// Routes are the routes of ready servers by routespec; keep are those of pending servers, which must be left alone.
func (s *Servers) Routes() (want map[string]WantedRoute, keep map[string]bool) {
	want, keep = map[string]WantedRoute{}, map[string]bool{}
	for _, l := range s.all() {
		l.mu.Lock()
		spec := s.URLPath(l.userName, l.name)
		if l.addr != nil {
			spec = l.addr.BaseURL
		}
		spec = s.o.Traits.URLs.routespec(l.userName, spec)
		switch {
		case l.stage == ready && l.addr != nil:
			want[spec] = WantedRoute{Target: addrURL(l.addr), Data: routeData(l)}
		case l.stage.pending() != "":
			keep[spec] = true
		}
		l.mu.Unlock()
	}
	return want, keep
}

func routeData(l *liveServer) map[string]any {
	return map[string]any{"user": l.userName, "server_name": l.name}
}

// url is the path of a server: the one that its process was told while it runs.
func (l *liveServer) url(s *Servers) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addr != nil {
		return l.addr.BaseURL
	}
	return s.URLPath(l.userName, l.name)
}
