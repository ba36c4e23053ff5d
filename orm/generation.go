package orm

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"sync"
)

// counter reads the database's change counter on a connection of its own, which never writes: for it, every commit is somebody else's.
type counter struct {
	db    *sql.DB
	query string

	mu     sync.Mutex // a connection does one thing at a time
	stmt   *sql.Stmt
	conn   *sql.Conn
	epoch  int // grows with each connection, because the counter starts anew on it
	closed bool
}

func newCounter(db *sql.DB, query string) *counter {
	db.SetMaxOpenConns(1)
	return &counter{db: db, query: query}
}

func (c *counter) open(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connect(ctx)
}

func (c *counter) connect(ctx context.Context) error {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return err
	}
	stmt, err := conn.PrepareContext(ctx, c.query)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	c.epoch++
	c.conn, c.stmt = conn, stmt
	return nil
}

// read asks for the counter; after a failure it connects anew once. The context is not passed on: the answer takes microseconds, and
// a cancelled request must not break the connection that all requests use.
func (c *counter) read(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", sql.ErrConnDone
	}
	background := context.WithoutCancel(ctx)
	var value string
	var err error
	if c.stmt != nil {
		if err = c.stmt.QueryRowContext(background).Scan(&value); err == nil {
			return strconv.Itoa(c.epoch) + "." + value, nil
		}
		_ = c.stmt.Close()
		_ = c.conn.Close()
		c.stmt, c.conn = nil, nil
	}
	if err := c.connect(background); err != nil {
		return "", err
	}
	if err = c.stmt.QueryRowContext(background).Scan(&value); err != nil {
		return "", err
	}
	return strconv.Itoa(c.epoch) + "." + value, nil
}

func (c *counter) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.stmt != nil {
		_ = c.stmt.Close()
		_ = c.conn.Close()
	}
	return c.db.Close()
}

func (c *core) generation(ctx context.Context) (string, error) {
	value, err := c.counter.read(ctx)
	if err != nil && classify(err) == nil {
		err = errors.Join(ErrUnavailable, err)
	}
	return value, fail("read change counter", err)
}
