package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
)

// acceptGUID is from RFC 6455, section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// echo is a WebSocket that sends back short messages. A library would do more than that, and take the time from what is measured.
func echo(w http.ResponseWriter, r *http.Request) {
	key := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + acceptGUID))
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer c.Close()
	_, err = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(key[:])+"\r\n\r\n")
	for err == nil {
		err = echoFrame(c, rw.Reader)
	}
}

// echoFrame reads one masked frame of up to 125 bytes and sends it back without the mask (RFC 6455, section 5.2).
func echoFrame(c net.Conn, r *bufio.Reader) error {
	var frame [2 + 4 + 125]byte
	if _, err := io.ReadFull(r, frame[:6]); err != nil {
		return err
	}
	n := int(frame[1] & 0x7f)
	if n > 125 {
		return io.ErrUnexpectedEOF
	}
	if _, err := io.ReadFull(r, frame[6:6+n]); err != nil {
		return err
	}
	for i := range n {
		frame[6+i] ^= frame[2+i%4]
	}
	frame[4], frame[5] = frame[0], byte(n)
	_, err := c.Write(frame[4 : 6+n])
	return err
}
