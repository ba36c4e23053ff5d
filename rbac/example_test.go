package rbac_test

import (
	"fmt"

	"github.com/minihub/minihub/rbac"
)

// A teacher may start the servers of a class; a token of hers may do that for one student only.
func Example() {
	catalog, err := rbac.NewCatalog(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	groupsOf := func(user string) []string {
		if user == "bob" {
			return []string{"class"}
		}
		return nil
	}
	teacher := rbac.Owner{User: "ann"}
	expanded, _ := catalog.Expand([]string{"self", "servers!group=class"}, teacher)
	held, err := rbac.Parse(expanded)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, _ := catalog.TokenScopes([]string{"start:servers!user=bob", "shutdown"}, teacher, held, groupsOf)
	for _, scope := range token.List() {
		fmt.Println(scope)
	}
	server := func(user string) rbac.Target {
		return rbac.Target{Kind: rbac.KindServer, User: user, HasServer: true, GroupsOf: groupsOf}
	}
	fmt.Println(token.Check(server("bob"), "start:servers"))
	fmt.Println(token.Check(server("carol"), "start:servers"))
	fmt.Println(token.Check(rbac.Target{}, "shutdown"))
	// Output:
	// read:users:groups!user=ann
	// read:users:name!user=ann
	// start:servers!user=bob
	// granted
	// hidden
	// denied
}
