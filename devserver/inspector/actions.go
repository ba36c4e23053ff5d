package inspector

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/hub"
)

// keptNotes is how many notes of buttons are kept; each is shown once after its button.
const keptNotes = 100

// done sends the browser back to the page with the buttons, with a note.
func (i *Inspector) done(w http.ResponseWriter, r *http.Request, format string, args ...any) error {
	i.mu.Lock()
	if len(i.notes) == keptNotes {
		i.notes = nil
	}
	i.notes = append(i.notes, fmt.Sprintf(format, args...))
	n := len(i.notes)
	i.mu.Unlock()
	i.rec.Touch()
	http.Redirect(w, r, i.baseURL()+"hub/dev/controls?note="+strconv.Itoa(n), http.StatusSeeOther)
	return nil
}

func (i *Inspector) noteOf(text string) string {
	n, err := strconv.Atoi(text)
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil || n < 1 || n > len(i.notes) {
		return ""
	}
	return i.notes[n-1]
}

// form reads a field of the posted form.
func form(r *http.Request, name string) string { return strings.TrimSpace(r.PostFormValue(name)) }

// invalid is an order that cannot be meant.
func invalid(format string, args ...any) error {
	return &hub.Error{Kind: hub.Invalid, Message: fmt.Sprintf(format, args...)}
}

// become makes the browser another user.
func (i *Inspector) become(w http.ResponseWriter, r *http.Request) error {
	name := strings.ToLower(form(r, "user"))
	if name == "" {
		return invalid("Say whom this browser is to become")
	}
	if err := i.o.Actions.Prepare(r.Context(), name); err != nil {
		return invalid("%s cannot be a user: %v", name, err)
	}
	if err := i.inside.Become(w, r, name); err != nil {
		return err
	}
	return i.done(w, r, "This browser is %s now. Its logins at services and servers ended with the old session.", name)
}

// revoke ends a token as if its time were over.
func (i *Inspector) revoke(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(form(r, "token"), 10, 64)
	if err != nil {
		return invalid("The id of a token is a number")
	}
	if err := i.inside.Revoke(r.Context(), id); err != nil {
		return invalid("Token %d cannot be ended: %v", id, err)
	}
	return i.done(w, r, "Token %d is over: the hub answers 403 to whoever uses it. Clients that remember what it was worth notice when they ask again.", id)
}

// fault makes something go wrong.
func (i *Inspector) fault(w http.ResponseWriter, r *http.Request) error {
	f := Fault{Kind: form(r, "kind"), User: form(r, "user")}
	f.Times, _ = strconv.Atoi(form(r, "times"))
	f.Code, _ = strconv.Atoi(form(r, "code"))
	if text := form(r, "by"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || seconds <= 0 || seconds > 3600 {
			return invalid("Give a number of seconds, at most 3600")
		}
		f.By = time.Duration(seconds * float64(time.Second))
	}
	words, err := f.words()
	if err != nil {
		return err
	}
	if err := i.o.Actions.Fault(f); err != nil {
		return invalid("%v", err)
	}
	i.mu.Lock()
	i.faults = append(i.faults, words)
	i.mu.Unlock()
	return i.done(w, r, "Ordered: %s.", words)
}

// words says what a fault does.
func (f Fault) words() (string, error) {
	whose := "a server"
	if f.User != "" {
		whose = "a server of " + f.User
	}
	often := "every time"
	if f.Times > 0 {
		often = fmt.Sprintf("%d times", f.Times)
	}
	if f.Times == 1 {
		often = "the next time"
	}
	switch f.Kind {
	case "slow":
		return fmt.Sprintf("the start of %s takes %s longer, %s", whose, f.By, often), nil
	case "fail":
		return fmt.Sprintf("the start of %s fails, %s", whose, often), nil
	case "never-ready":
		return fmt.Sprintf("%s starts but never answers, %s", whose, often), nil
	case "die":
		return fmt.Sprintf("%s dies %s after its start, %s", whose, f.By, often), nil
	case "api":
		if f.Code < 400 || f.Code > 599 {
			return "", invalid("Give a status from 400 to 599")
		}
		return fmt.Sprintf("the REST API answers %d, %s", f.Code, often), nil
	}
	return "", invalid("There is no fault %q", f.Kind)
}

func (i *Inspector) clearFaults(w http.ResponseWriter, r *http.Request) error {
	i.o.Actions.ClearFaults()
	i.mu.Lock()
	i.faults = nil
	i.mu.Unlock()
	return i.done(w, r, "Everything works again.")
}

// advance lets time go by.
func (i *Inspector) advance(w http.ResponseWriter, r *http.Request) error {
	by, err := time.ParseDuration(form(r, "by"))
	if err != nil || by <= 0 {
		return invalid("Say how far, for example 90m or 2h")
	}
	if err := i.o.Actions.Advance(r.Context(), by); err != nil {
		return invalid("The clock cannot be advanced: %v", err)
	}
	return i.done(w, r, "%s have gone by for the hub: logins, codes and tokens have so much less time left, and users were active so much longer ago.", by)
}

// restart restarts a service.
func (i *Inspector) restart(w http.ResponseWriter, r *http.Request) error {
	name := form(r, "service")
	if err := i.o.Actions.Restart(r.Context(), name); err != nil {
		return invalid("%s cannot be restarted: %v", name, err)
	}
	return i.done(w, r, "%s was restarted.", name)
}

// clear forgets the requests.
func (i *Inspector) clear(w http.ResponseWriter, r *http.Request) error {
	i.rec.Clear()
	http.Redirect(w, r, i.baseURL()+"hub/dev", http.StatusSeeOther)
	return nil
}
