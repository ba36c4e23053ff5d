package supervise

import "time"

// AdoptOptions say how to go on with an adopted process.
type AdoptOptions struct {
	LogPath    string // its log file; "" for none. A missing file is no error: the process matters, not its log
	LogLimit   int64
	OnLine     func(line string)
	GroupGrace time.Duration
}

// Adopt takes over a process that an earlier hub started. It returns ErrGone when the identity proves nothing or names
// no running process, and errors.ErrUnsupported where processes cannot be identified. How it ends stays unknown.
func Adopt(id Identity, opts AdoptOptions) (*Process, error) {
	// Open the handle first and look afterwards: what is verified then is what the handle holds.
	sys := openSys(id.PID)
	if err := id.verify(); err != nil {
		sys.release()
		return nil, err
	}
	p := newProcess(id, false, opts.GroupGrace)
	p.sys = sys
	if opts.LogPath != "" {
		env, _ := ReadEnviron(id.PID) // unreadable: nothing to hide is known
		sink := &lineSink{tail: &p.tail, onLine: opts.OnLine, hide: redactor(env)}
		if log, err := followLog(opts.LogPath, opts.LogLimit, sink, true); err == nil {
			p.output = log
		}
	}
	go p.watch()
	return p, nil
}
