package hub_test

import (
	"context"
	"testing"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

func TestRefreshPreStopMayRefuse(t *testing.T) {
	var asked []string
	refuse := true
	r := newRig(t, func(o *rigOptions) {
		o.hooks.RefreshPreStop = func(ctx context.Context, user *orm.User) error {
			asked = append(asked, hub.Caller(ctx).Name()+" stops "+user.Name)
			if refuse {
				return &hub.Error{Kind: hub.Forbidden, Message: "log in again"}
			}
			return nil
		}
	})
	u := r.user("alice")
	ctx := context.WithValue(t.Context(), hub.CallerKey{}, r.as("alice"))
	if _, err := r.live.Stop(ctx, u, "", hub.StopOptions{}); err != nil || len(asked) != 0 {
		t.Errorf("stopping what does not run: %v, asked %q", err, asked)
	}
	r.mustStart(u, "")
	_, err := r.live.Stop(ctx, u, "", hub.StopOptions{})
	wantErr(t, err, hub.Forbidden, "log in again")
	if v := r.view(u, ""); !v.Ready {
		t.Errorf("the refused stop did something: %+v", v)
	}
	refuse = false
	if done, err := r.live.Stop(ctx, u, "", hub.StopOptions{}); !done || err != nil {
		t.Errorf("allowed stop: %v, %v", done, err)
	}
	if len(asked) != 2 || asked[1] != "alice stops alice" {
		t.Errorf("asked %q", asked)
	}
	if hub.Caller(t.Context()) != nil {
		t.Error("a caller out of nowhere")
	}
}
