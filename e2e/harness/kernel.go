package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// message is a message of Jupyter's kernel protocol as the WebSocket carries it.
type message struct {
	Header       map[string]any `json:"header"`
	ParentHeader map[string]any `json:"parent_header"`
	Metadata     map[string]any `json:"metadata"`
	Content      map[string]any `json:"content"`
	Channel      string         `json:"channel"`
}

// RunInKernel starts a Python kernel in a user's running server, runs code in it over the WebSocket, and gives what
// the code printed, its result or its error. The server is /user/NAME/ or /user/NAME/SERVER/.
func (a *API) RunInKernel(serverPath, code string) string {
	a.t.Helper()
	kernel := a.OpenKernel(serverPath)
	defer kernel.Close()
	return kernel.Run(code)
}

// Kernel is a Python kernel in a user's running server, and a WebSocket to it.
type Kernel struct {
	api  *API
	path string // of its model
	conn *websocket.Conn
	runs int
}

// OpenKernel starts a kernel, which stays until Close.
func (a *API) OpenKernel(serverPath string) *Kernel {
	a.t.Helper()
	kernel := a.Post(serverPath+"api/kernels", map[string]any{"name": "python3"}).Want(http.StatusCreated).Map()
	id, _ := kernel["id"].(string)
	k := &Kernel{api: a, path: serverPath + "api/kernels/" + id}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	address := "ws" + strings.TrimPrefix(a.hub.URL, "http") + k.path + "/channels?session_id=e2e"
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"token " + a.Token}},
	})
	if err != nil {
		a.t.Fatalf("open the kernel's WebSocket: %v", err)
	}
	conn.SetReadLimit(1 << 24)
	k.conn = conn
	return k
}

// Run runs a cell and gives what it printed, its result or its error.
func (k *Kernel) Run(code string) string {
	k.api.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	k.runs++
	id := fmt.Sprintf("e2e-%d", k.runs)
	execute(ctx, k.api.t, k.conn, id, code)
	return readOutput(ctx, k.api.t, k.conn, id)
}

// Close ends the kernel.
func (k *Kernel) Close() {
	k.api.t.Helper()
	_ = k.conn.CloseNow()
	k.api.Delete(k.path, nil)
}

// execute sends an execute_request.
func execute(ctx context.Context, t testing.TB, conn *websocket.Conn, id, code string) {
	t.Helper()
	data, err := json.Marshal(message{
		Header: map[string]any{
			"msg_id": id, "msg_type": "execute_request", "username": "e2e", "session": "e2e",
			"date": time.Now().UTC().Format(time.RFC3339), "version": "5.3",
		},
		ParentHeader: map[string]any{}, Metadata: map[string]any{}, Channel: "shell",
		Content: map[string]any{
			"code": code, "silent": false, "store_history": true, "user_expressions": map[string]any{},
			"allow_stdin": false, "stop_on_error": true,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Write(ctx, websocket.MessageText, data); err != nil {
		t.Fatalf("send to the kernel: %v", err)
	}
}

// readOutput collects the output of the request until the kernel is idle again.
func readOutput(ctx context.Context, t testing.TB, conn *websocket.Conn, id string) string {
	t.Helper()
	var out strings.Builder
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatalf("read from the kernel: %v; output so far: %s", err, out.String())
		}
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("kernel message: %v", err)
		}
		if m.ParentHeader["msg_id"] != id {
			continue
		}
		switch m.Header["msg_type"] {
		case "stream":
			text, _ := m.Content["text"].(string)
			out.WriteString(text)
		case "execute_result":
			result, _ := m.Content["data"].(map[string]any)
			text, _ := result["text/plain"].(string)
			out.WriteString(text)
		case "error":
			name, _ := m.Content["ename"].(string)
			value, _ := m.Content["evalue"].(string)
			out.WriteString(name + ": " + value)
		case "status":
			if m.Content["execution_state"] == "idle" {
				return out.String()
			}
		}
	}
}
