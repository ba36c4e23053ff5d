package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// counter reads the database's change counter on a connection of its own, which never writes: for it, every commit is somebody else's.
// It talks to the driver itself, because this is asked for with every request and database/sql would double the cost.
type counter struct {
	driver driver.Driver
	dsn    string
	query  string

	mu     sync.Mutex // a connection does one thing at a time
	conn   driver.Conn
	stmt   driver.StmtQueryContext
	epoch  int // grows with each connection, because the counter starts anew on it
	closed bool
}

func newCounter(db *sql.DB, dsn, query string) *counter {
	return &counter{driver: db.Driver(), dsn: dsn, query: query}
}

func (c *counter) open() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connect()
}

func (c *counter) connect() error {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return err
	}
	stmt, err := conn.Prepare(c.query)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	query, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return errors.Join(errors.New("driver cannot query with a context"), stmt.Close(), conn.Close())
	}
	c.epoch++
	c.conn, c.stmt = conn, query
	return nil
}

// read asks for the counter; after a failure it connects anew once. The context's end is not passed on: the answer takes microseconds,
// and a cancelled request must not break the connection that all requests use.
func (c *counter) read(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", sql.ErrConnDone
	}
	background := context.WithoutCancel(ctx)
	if c.stmt != nil {
		if value, err := c.ask(background); err == nil {
			return value, nil
		}
		_ = c.drop()
	}
	if err := c.connect(); err != nil {
		return "", err
	}
	return c.ask(background)
}

func (c *counter) ask(ctx context.Context) (value string, err error) {
	rows, err := c.stmt.QueryContext(ctx, nil)
	if err != nil {
		return "", err
	}
	var row [1]driver.Value
	if err := rows.Next(row[:]); err != nil {
		return "", errors.Join(err, rows.Close())
	}
	value = fmt.Sprintf("%d.%v", c.epoch, row[0])
	return value, rows.Close()
}

func (c *counter) drop() error {
	if c.stmt == nil {
		return nil
	}
	stmt, conn := c.stmt.(driver.Stmt), c.conn
	c.stmt, c.conn = nil, nil
	return errors.Join(stmt.Close(), conn.Close())
}

func (c *counter) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.drop()
}

func (c *core) generation(ctx context.Context) (string, error) {
	value, err := c.counter.read(ctx)
	if err != nil && classify(err) == nil {
		err = errors.Join(ErrUnavailable, err)
	}
	return value, fail("read change counter", err)
}
