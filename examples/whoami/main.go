// Command whoami is a service that tells its visitors what the hub knows of them: the smallest use of hubauth.
//
// Start it with the hub, as a managed service:
//
//	c.JupyterHub.services = [{"name": "whoami", "url": "http://127.0.0.1:10101", "command": ["whoami"]}]
//	c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "access:services!service=whoami"]}]
package main

import (
	"encoding/json"
	"log"
	"net/http"

	"github.com/minihub/minihub/hubauth"
)

func main() {
	auth, err := hubauth.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	listener, err := auth.Listen()
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, auth.Handler(http.HandlerFunc(whoami))))
}

func whoami(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(hubauth.Identity(r)); err != nil {
		log.Print(err)
	}
}
