package hub

import "context"

// CallerKey is the context key of the identity (*Identity, nil for strangers) whose request is served. httpmw's contexts answer it.
type CallerKey struct{}

// Caller returns who asks, for the few decisions in the middle of a use case that depend on it; nil when nobody is known or the hub itself
// is at work.
func Caller(ctx context.Context) *Identity {
	id, _ := ctx.Value(CallerKey{}).(*Identity)
	return id
}
