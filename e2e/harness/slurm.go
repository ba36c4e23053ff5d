package harness

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Slurm is a batch system of a test's own with one node, this machine: munged, slurmctld and slurmd, all in one folder.
type Slurm struct {
	Conf string // the file that SLURM_CONF names
}

const slurmConf = `
ClusterName=minihub
SlurmctldHost=%[2]s(127.0.0.1)
SlurmUser=root
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
AuthType=auth/munge
AuthInfo=socket=%[1]s/munge.sock
CredType=cred/munge
StateSaveLocation=%[1]s/state
SlurmdSpoolDir=%[1]s/spool
SlurmctldPidFile=%[1]s/slurmctld.pid
SlurmdPidFile=%[1]s/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerType=sched/backfill
ReturnToService=2
MpiDefault=none
KillWait=2
NodeName=localhost NodeHostname=%[2]s NodeAddr=127.0.0.1 CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=lab Nodes=localhost Default=YES OverSubscribe=FORCE:8 MaxTime=INFINITE State=UP
`

// StartSlurm starts the batch system and waits until its node is idle. It needs root and the Debian packages slurmctld, slurmd,
// slurm-client and munge; without root the test is skipped.
func StartSlurm(t testing.TB) *Slurm {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a batch system of its own needs root: run the tests as root")
	}
	dir := tempDir(t)
	for _, sub := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	key := make([]byte, 1024)
	_, _ = rand.Read(key)
	if err := os.WriteFile(filepath.Join(dir, "munge.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	s := &Slurm{Conf: filepath.Join(dir, "slurm.conf")}
	if err := os.WriteFile(s.Conf, fmt.Appendf(nil, slurmConf, dir, host, FreePort(t), FreePort(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	env := []string{"SLURM_CONF=" + s.Conf}
	StartProcess(t, "munged", dir, nil, "/usr/sbin/munged", "--foreground", "--force", "--key-file="+at("munge.key"), "--socket="+at("munge.sock"),
		"--pid-file="+at("munged.pid"), "--log-file="+at("munged.own.log"), "--seed-file="+at("munge.seed"))
	Poll(t, 30*time.Second, "munged", func() bool {
		conn, err := net.Dial("unix", at("munge.sock"))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	var daemons []*Process
	for _, name := range []string{"slurmctld", "slurmd"} {
		argv := []string{"/usr/sbin/" + name, "-D"}
		if name == "slurmd" {
			argv = append(argv, "-N", "localhost")
		}
		daemons = append(daemons, StartProcess(t, name, dir, env, argv...))
	}
	Poll(t, time.Minute, "an idle node", func() bool {
		for _, p := range daemons {
			if p.Exited() {
				t.Fatalf("%s ended:\n%s", p.Name, tail(p.Log(), 20))
			}
		}
		out, _ := s.Try("sinfo", "-h", "-o", "%t")
		return out == "idle"
	})
	t.Cleanup(func() {
		_, _ = s.Try("scancel", "--full", "--signal=KILL", "--partition=lab")
		Poll(t, time.Minute, "the end of all jobs", func() bool { out, err := s.Try("squeue", "-h"); return err != nil || out == "" })
	})
	return s
}

// Try runs a command of the batch system and gives what it printed, without white space at the ends.
func (s *Slurm) Try(argv ...string) (string, error) {
	command := exec.Command(argv[0], argv[1:]...)
	command.Env = append(os.Environ(), "SLURM_CONF="+s.Conf)
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
