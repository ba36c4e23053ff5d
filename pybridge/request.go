package pybridge

import "context"

// Request is the HTTP request that the hub is working on, as hooks see it through handler.
type Request struct {
	Method   string              `json:"method"`
	URI      string              `json:"uri"`
	Host     string              `json:"host"`
	Protocol string              `json:"protocol"`
	RemoteIP string              `json:"remote_ip"`
	Headers  map[string][]string `json:"headers"`
	Query    map[string][]string `json:"query"`
	Form     map[string][]string `json:"form,omitempty"`
	User     *User               `json:"user,omitempty"`    // User is who made it; nil for nobody.
	Service  string              `json:"service,omitempty"` // Service is the name of the service that made it.
	// Complete fills in what is known only when a hook is called: User and RemoteIP.
	Complete func(ctx context.Context, r *Request) `json:"-"`
}

type requestKey struct{}

// WithRequest puts a request into a context; calls made with it, or with one derived from it, tell hooks about the request.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom returns the request of a context, with who made it; nil when there is none.
func RequestFrom(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	if r == nil || r.Complete == nil {
		return r
	}
	out := *r
	out.Complete = nil
	r.Complete(ctx, &out)
	return &out
}

// withForm returns the request of a context with the fields of its form.
func withForm(ctx context.Context, form map[string][]string) *Request {
	r := RequestFrom(ctx)
	if r == nil {
		return nil
	}
	out := *r
	out.Form = form
	return &out
}

type modelKey struct{}

// withModel makes a login whose outcome is known already.
func withModel(ctx context.Context, m *Model) context.Context {
	return context.WithValue(ctx, modelKey{}, m)
}

func modelFrom(ctx context.Context) *Model {
	m, _ := ctx.Value(modelKey{}).(*Model)
	return m
}
