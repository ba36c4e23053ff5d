package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/minihub/minihub/orm"
)

// sizes of a database.
type sizes struct {
	users   int
	servers int // running
	rows    int // users with a server's row and a server's token, the running ones included
	tokens  int // users with a token
}

// stock is a filled database and what is known of it.
type stock struct {
	sizes
	path         string
	tokens       []string // of the first users
	serverTokens []string // of the first servers, running or not
	processes    []*exec.Cmd
}

func userName(i int) string { return fmt.Sprintf("user%06d", i) }

// fill writes a database as both hubs know it: minihub's schema is JupyterHub's. It has the roles that the hubs make at start.
func fill(dir, backend string, n sizes) (*stock, error) {
	st := &stock{sizes: n, path: filepath.Join(dir, "stock.sqlite")}
	for i := range n.servers {
		cmd, err := standIn(userName(i))
		if err != nil {
			return st, err
		}
		st.processes = append(st.processes, cmd)
	}
	ctx := context.Background()
	store, err := orm.Open(ctx, orm.Options{URL: st.path, NoWAL: true}) // the journal that JupyterHub uses; minihub changes it for itself
	if err != nil {
		return st, err
	}
	defer store.Close()
	return st, store.Tx(ctx, func(tx *orm.Store) error { return st.write(ctx, tx, backend) })
}

func (st *stock) write(ctx context.Context, tx *orm.Store, backend string) error {
	now := time.Now().UTC().Truncate(time.Second)
	users := make([]*orm.User, st.users)
	for i := range users {
		seen := now.Add(-time.Duration(i*7919%86400) * time.Second)
		users[i] = &orm.User{Name: userName(i), Created: &now, LastActivity: &seen, CookieID: orm.NewToken(), State: orm.JSONDict{}}
	}
	if err := tx.CreateUsers(ctx, users); err != nil {
		return err
	}
	role := &orm.Role{Name: "user", Description: "Standard user privileges", Scopes: orm.JSONList{"self", "access:services!service=app"}}
	if err := tx.CreateRole(ctx, role); err != nil {
		return err
	}
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	if err := tx.Grant(ctx, orm.HolderUser, ids, role.ID, false); err != nil {
		return err
	}
	if err := tx.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: "jupyterhub", Description: "JupyterHub"}); err != nil {
		return err
	}
	for i, u := range users[:st.sizes.rows] {
		if err := st.server(ctx, tx, u, i, backend, now); err != nil {
			return err
		}
	}
	for _, u := range users[:st.sizes.tokens] {
		token, err := addToken(ctx, tx, u, "jupyterhub", now, "inherit")
		if err != nil {
			return err
		}
		st.tokens = append(st.tokens, token)
	}
	return nil
}

// server writes the rows of a user's server as after a start of it, and of the first ones that they run.
func (st *stock) server(ctx context.Context, tx *orm.Store, u *orm.User, i int, backend string, now time.Time) error {
	row := &orm.Spawner{UserID: u.ID, State: orm.JSONDict{}, LastActivity: &now, UserOptions: orm.JSONDict{}}
	if i < len(st.processes) {
		if err := st.runs(ctx, tx, row, u.Name, backend); err != nil {
			return err
		}
		row.Started, row.State = &now, orm.JSONDict{"pid": int64(st.processes[i].Process.Pid)}
	}
	if err := tx.CreateSpawner(ctx, row); err != nil {
		return err
	}
	token, err := addToken(ctx, tx, u, "jupyterhub", now, "access:servers!server="+u.Name+"/", "users:activity!user="+u.Name)
	st.serverTokens = append(st.serverTokens, token)
	return err
}

// runs makes what a running server has beside its row: an address and an OAuth client.
func (st *stock) runs(ctx context.Context, tx *orm.Store, row *orm.Spawner, user, backend string) error {
	host, text, err := net.SplitHostPort(backend)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	server := &orm.Server{Proto: "http", IP: host, Port: port, BaseURL: "/user/" + user + "/", CookieName: "cookie"}
	if err := tx.CreateServer(ctx, server); err != nil {
		return err
	}
	client := "jupyterhub-user-" + user
	row.ServerID, row.OAuthClientID = &server.ID, &client
	return tx.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: client, Description: "Server at /user/" + user + "/",
		RedirectURI: "/user/" + user + "/oauth_callback", AllowedScopes: orm.JSONList{}})
}

func addToken(ctx context.Context, tx *orm.Store, u *orm.User, client string, now time.Time, scopes ...string) (string, error) {
	token, note := orm.NewToken(), "bench"
	return token, tx.CreateToken(ctx, &orm.APIToken{UserID: &u.ID, Hashed: orm.HashToken(token, orm.GeneratedRounds), Prefix: orm.TokenPrefix(token),
		ClientID: &client, Created: &now, Note: &note, Scopes: scopes})
}

// standIn starts a process that passes for a user's server: it leads its session and has a server's environment, but does nothing.
func standIn(user string) (*exec.Cmd, error) {
	cmd := exec.Command("sleep", "infinity")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "JUPYTERHUB_USER=" + user, "JUPYTERHUB_SERVER_NAME=", "JUPYTERHUB_SERVICE_PREFIX=/user/" + user + "/"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	return cmd, cmd.Start()
}

// end ends the stand-ins.
func (st *stock) end() {
	for _, cmd := range st.processes {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
