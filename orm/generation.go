package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strconv"
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

	last    reading // the newest reading whose commits are accounted for
	number  int     // of the generation
	text    string  // the generation: number as it is given out
	quiet   bool    // a quiet commit is under way: the next change may be that one
	unknown int     // answers given meanwhile
}

// reading is what the database says.
type reading struct {
	epoch int
	value driver.Value
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

// unsettled begins generations that are given out while it cannot be told yet whose commit the counter has seen.
const unsettled = "?"

// read asks for the generation; after a failure it connects anew once. The context's end is not passed on: the answer takes microseconds,
// and a cancelled request must not break the connection that all requests use.
func (c *counter) read(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, err := c.ask(ctx)
	if err != nil {
		return "", err
	}
	if now != c.last && c.quiet {
		c.unknown++
		return unsettled + strconv.Itoa(c.unknown), nil
	}
	c.settle(now)
	return c.text, nil
}

// settle makes a new generation of a reading that differs.
func (c *counter) settle(now reading) {
	if now == c.last && c.text != "" {
		return
	}
	c.number++
	c.last, c.text = now, strconv.Itoa(c.number)
	if text, ok := now.value.(string); ok {
		c.text += " " + text
	}
}

// beginQuiet announces a commit that shall not make a new generation. The caller holds the database's write lock, so nobody else can
// commit before that.
func (c *counter) beginQuiet(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, err := c.ask(ctx)
	if err != nil {
		return err
	}
	c.settle(now)
	c.quiet = true
	return nil
}

// endQuiet takes over what the counter says after the commit. alone must tell, after the counter was read, that nobody else has committed
// since beginQuiet.
func (c *counter) endQuiet(ctx context.Context, alone func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet = false
	now, err := c.ask(ctx)
	if err == nil && now.epoch == c.last.epoch && alone() {
		c.last = now
	}
}

func (c *counter) ask(ctx context.Context) (reading, error) {
	if c.closed {
		return reading{}, sql.ErrConnDone
	}
	background := context.WithoutCancel(ctx)
	if c.stmt != nil {
		if value, err := c.query1(background); err == nil {
			return reading{c.epoch, value}, nil
		}
		_ = c.drop()
	}
	if err := c.connect(); err != nil {
		return reading{}, err
	}
	value, err := c.query1(background)
	return reading{c.epoch, value}, err
}

func (c *counter) query1(ctx context.Context) (driver.Value, error) {
	rows, err := c.stmt.QueryContext(ctx, nil)
	if err != nil {
		return nil, err
	}
	var row [1]driver.Value
	if err := rows.Next(row[:]); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	if raw, ok := row[0].([]byte); ok { // cannot be compared
		row[0] = string(raw)
	}
	return row[0], rows.Close()
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
