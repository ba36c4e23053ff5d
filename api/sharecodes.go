package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// shareCodeModel is the model of a share code; code is its text, known only when it was just created.
func (a *API) shareCodeModel(c *hub.ShareCodeView, code string) object {
	m := object{
		"server": a.sharedServer(&c.Server), "scopes": list(c.Scopes), "id": "sc_" + strconv.FormatInt(c.ID, 10), "created_at": timestamp(&c.CreatedAt),
		"expires_at": timestamp(c.ExpiresAt), "exchange_count": c.ExchangeCount, "last_exchanged_at": timestamp(c.LastExchangedAt),
	}
	if code == "" {
		return m
	}
	accept := a.o.URLs.BaseURL + "hub/accept-share?code=" + url.QueryEscape(code)
	m["code"], m["accept_url"], m["full_accept_url"] = code, accept, nil
	if a.o.URLs.PublicURL != "" {
		m["full_accept_url"] = a.public(accept)
	}
	return m
}

func (a *API) codePage(w http.ResponseWriter, r *http.Request, of func(offset, limit int) ([]hub.ShareCodeView, int, error)) error {
	p, err := a.paging(r)
	if err != nil {
		return err
	}
	codes, total, err := of(p.offset, p.limit)
	if err != nil {
		return err
	}
	items := make([]object, len(codes))
	for i := range codes {
		items[i] = a.shareCodeModel(&codes[i], "")
	}
	return httpmw.WriteJSON(w, http.StatusOK, p.wrap(r, a.scheme(r), items, total))
}

func (a *API) codesOfOwner(w http.ResponseWriter, r *http.Request) error {
	return a.codePage(w, r, func(offset, limit int) ([]hub.ShareCodeView, int, error) {
		return a.o.Hub.Shares.CodesOfOwner(r.Context(), httpmw.Param(r, "user"), offset, limit)
	})
}

func (a *API) codesOfServer(w http.ResponseWriter, r *http.Request) error {
	return a.codePage(w, r, func(offset, limit int) ([]hub.ShareCodeView, int, error) {
		return a.o.Hub.Shares.CodesOfServer(r.Context(), httpmw.Param(r, "user"), httpmw.Param(r, "server"), offset, limit)
	})
}

// Bounds of expires_in of a share code, in seconds.
const minCodeLife, maxCodeLife = 60, 365 * 24 * 3600

func (a *API) createShareCode(w http.ResponseWriter, r *http.Request) error {
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	if err := knownKeys(m, "scopes", "expires_in"); err != nil {
		return err
	}
	var scopes []string
	if _, err := httpmw.Field(m, "scopes", &scopes); err != nil {
		return err
	}
	life := 24 * 3600
	if raw, ok := m["expires_in"]; ok {
		if json.Unmarshal(raw, &life) != nil || string(raw) == "null" || life < minCodeLife || life > maxCodeLife {
			return invalid("expires_in must be an integer number of seconds from %d to %d", minCodeLife, maxCodeLife)
		}
	}
	c, code, err := a.o.Hub.Shares.CreateCode(r.Context(), httpmw.Identity(r), httpmw.Param(r, "user"), httpmw.Param(r, "server"), scopes, time.Duration(life)*time.Second)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpmw.WriteJSON(w, http.StatusOK, a.shareCodeModel(c, code))
}

func (a *API) deleteShareCodes(w http.ResponseWriter, r *http.Request) error {
	code, _ := argument(r, "code")
	id, _ := argument(r, "id")
	if err := a.o.Hub.Shares.DeleteCodes(r.Context(), httpmw.Param(r, "user"), httpmw.Param(r, "server"), code, id); err != nil {
		return err
	}
	return empty(w, http.StatusNoContent)
}
