package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// nginx is the bar for proxying: a reverse proxy of its own configuration and folder, in front of the same backend.
type nginx struct {
	cmd  *exec.Cmd
	addr string
}

// nginxConf keeps connections to the backend and passes bodies on in large pieces: of the settings tried, those with the least CPU per request.
const nginxConf = `%sdaemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid %[2]s/nginx.pid;
error_log stderr crit;
events { worker_connections 20000; }
http {
  access_log off;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  keepalive_requests 1000000000;
  upstream backend { server %[3]s; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen %[4]s;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
    }
    location ~ /ws$ {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;
    }
  }
}
`

// startNginx returns nil when there is no nginx on this machine.
func startNginx(program, dir, backend string) (*nginx, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: no nginx here: its rows have no bar (scripts/setup.sh packages installs it)")
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	free, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	n := &nginx{addr: fmt.Sprintf("127.0.0.1:%d", free[0])}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // its folders are ours
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, user, dir, backend, n.addr), 0o600); err != nil {
		return nil, err
	}
	n.cmd = exec.Command(path, "-p", dir, "-e", "stderr", "-c", conf)
	n.cmd.Stderr = os.Stderr
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	return n, within(10*time.Second, "nginx answers", func() (bool, error) {
		c, err := net.Dial("tcp", n.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil, nil
	})
}

func (n *nginx) stop() {
	_ = syscall.Kill(-n.cmd.Process.Pid, syscall.SIGKILL)
	_ = n.cmd.Wait()
}
