package orm_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/minihub/minihub/orm"
)

// BenchmarkSearchUsers is the search of the admin page among 50,000 users, for names that match none, few, and many.
func BenchmarkSearchUsers(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "db.sqlite"))
	for i := 0; i < 50000; i += 5000 {
		users := make([]*orm.User, 5000)
		for j := range users {
			users[j] = &orm.User{Name: fmt.Sprintf("student-%05d", i+j), EncryptedAuthState: make([]byte, 400)}
		}
		ok(b, s.CreateUsers(b.Context(), users))
	}
	for _, filter := range []string{"", "nobody", "-49999", "1", "STUDENT"} {
		for _, sort := range []string{"id", "name"} {
			b.Run(filter+"/"+sort, func(b *testing.B) {
				for b.Loop() {
					if _, _, err := s.ListUsers(b.Context(), orm.UserQuery{NameFilter: filter, Sort: sort, Limit: 50}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
