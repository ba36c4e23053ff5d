package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

const asJSON = "application/json"

// tokenRow asks with one token after the other who its owner is.
func tokenRow(key string, tokens func(*stock) []string) func(*session) error {
	return func(s *session) error {
		var all [][]byte
		for _, token := range tokens(s.stock) {
			all = append(all, request(http.MethodGet, "/hub/api/user", token, "", ""))
		}
		return s.rounds(key, load{at: want(http.StatusOK, inTurn(all))}, 1)
	}
}

func loginPages(s *session) error {
	return s.rounds(login, load{at: want(http.StatusOK, same(request(http.MethodGet, "/hub/login", "", "", "")))}, 1)
}

// lists asks for pages of the list of users, as the admin page does.
func lists(s *session) error {
	for key, query := range map[string]string{
		listFirst: "",
		listLast:  fmt.Sprintf("&offset=%d", max(0, s.stock.users-50)),
		listSort:  "&sort=-last_activity",
		listName:  "&name_filter=" + userName(s.stock.users / 2)[:len(userName(0))-2],
		listState: "&state=ready",
	} {
		if !s.o.wanted(key) {
			continue
		}
		q := request(http.MethodGet, "/hub/api/users?limit=50"+query, adminToken, "", "", "Accept: application/jupyterhub-pagination+json")
		if err := s.rounds(key, load{at: want(http.StatusOK, same(q))}, 1); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// numbered makes names that no earlier request used.
var numbered atomic.Int64

func fresh() string { return fmt.Sprintf("fresh%08d", numbered.Add(1)) }

func createOne(s *session) error {
	return s.rounds(makeOne, load{lanes: 4, at: want(http.StatusCreated, func(int) []byte {
		return request(http.MethodPost, "/hub/api/users/"+fresh(), adminToken, asJSON, "{}")
	})}, 1)
}

// bulk is how many users one request creates.
const bulk = 200

func createBulk(s *session) error {
	return s.rounds(makeBulk, load{lanes: 1, at: want(http.StatusCreated, func(int) []byte {
		names := ""
		for i := range bulk {
			if i > 0 {
				names += ","
			}
			names += `"` + fresh() + `"`
		}
		return request(http.MethodPost, "/hub/api/users", adminToken, asJSON, `{"usernames":[`+names+`]}`)
	})}, bulk)
}

func createTokens(s *session) error {
	return s.rounds(makeToken, load{lanes: 4, at: want(http.StatusCreated, func(n int) []byte {
		return request(http.MethodPost, "/hub/api/users/"+userName(n*31%s.stock.users)+"/tokens", adminToken, asJSON, `{"note":"bench"}`)
	})}, 1)
}

// activityPosts are what servers send every five minutes, here as quickly as they can.
func activityPosts(s *session) error {
	return s.rounds(activity, load{at: want(http.StatusOK, func(n int) []byte { return s.activityPost(n % len(s.stock.serverTokens)) })}, 1)
}

// activityPost is what the server of that number says of itself now.
func (s *session) activityPost(i int) []byte {
	at := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	return request(http.MethodPost, "/hub/api/users/"+userName(i)+"/activity", s.stock.serverTokens[i], asJSON, `{"servers":{"":{"last_activity":"`+at+`"}},"last_activity":"`+at+`"}`)
}
