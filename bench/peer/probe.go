package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// probeEvery is how often a probe asks. It does not hurry after a late answer, so the hub decides how long an answer takes, not it.
const probeEvery = 5 * time.Millisecond

// probe asks for a path at an address again and again until standard input ends, and prints how many nanoseconds each answer took. It is a
// process of its own, so that it does not wait behind other work of the load generator.
func probe(args []string) error {
	if len(args) != 3 {
		return errors.New("probe wants an address, a path and a token")
	}
	c, err := net.Dial("tcp", args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	var done atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		done.Store(true)
	}()
	raw := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token %s\r\n\r\n", args[1], args[2])
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	var times []time.Duration
	for r := bufio.NewReader(c); !done.Load(); <-tick.C {
		begin := time.Now()
		if err := ask(c, r, raw); err != nil {
			return err
		}
		times = append(times, time.Since(begin))
	}
	out := bufio.NewWriter(os.Stdout)
	for _, d := range times {
		fmt.Fprintln(out, d.Nanoseconds())
	}
	return out.Flush()
}

func ask(c net.Conn, r *bufio.Reader, raw []byte) error {
	if _, err := c.Write(raw); err != nil {
		return err
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return answer.Body.Close()
}
