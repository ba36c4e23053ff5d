package orm

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
)

// sqliteTime is how SQLAlchemy writes a naive UTC time; texts of one length compare as times do.
const sqliteTime = "2006-01-02 15:04:05.000000"

// maxStatements bounds the prepared statements of one pool. Lists are padded to few lengths, so it is hardly ever reached.
const maxStatements = 512

// pool stands between GORM and database/sql: it writes times as JupyterHub does, keeps statements prepared, and measures.
type pool struct {
	db     *sql.DB
	lite   bool
	firm   bool // statements of its transactions are not interrupted: SQLite would roll back the whole transaction, which others share
	logger *slog.Logger
	onTime func(time.Duration)

	mu    sync.RWMutex
	stmts map[string]*sql.Stmt // SQLite only: pgx keeps its own
}

func newPool(db *sql.DB, d dialect, o Options, logger *slog.Logger) *pool {
	p := &pool{db: db, lite: d == sqliteDialect, onTime: o.OnQuery, stmts: map[string]*sql.Stmt{}}
	if o.LogSQL {
		p.logger = logger
	}
	return p
}

// args writes times as the columns hold them: naive UTC with microseconds.
func (p *pool) args(in []any) []any {
	for i, arg := range in {
		switch t := arg.(type) {
		case time.Time:
			in[i] = p.time(t)
		case *time.Time:
			if t == nil {
				in[i] = nil
			} else {
				in[i] = p.time(*t)
			}
		}
	}
	return in
}

func (p *pool) time(t time.Time) any {
	if p.lite {
		return t.UTC().Format(sqliteTime)
	}
	return stamp(t)
}

// prepared returns the kept statement, or nil when the text is to be run directly.
func (p *pool) prepared(ctx context.Context, query string) *sql.Stmt {
	if !p.lite {
		return nil
	}
	p.mu.RLock()
	st, full := p.stmts[query], len(p.stmts) >= maxStatements
	p.mu.RUnlock()
	if st != nil || full {
		return st
	}
	st, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil // running it directly reports the reason
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.stmts[query]; other != nil {
		_ = st.Close()
		return other
	}
	p.stmts[query] = st
	return st
}

// known is prepared for use inside a transaction. It prepares nothing, because that could need a second connection while all are
// taken; finish does it afterwards.
func (t *poolTx) known(ctx context.Context, query string) *sql.Stmt {
	t.p.mu.RLock()
	st := t.p.stmts[query]
	t.p.mu.RUnlock()
	if strings.HasPrefix(query, "CREATE ") { // never again
		return nil
	}
	if st == nil {
		t.missed = append(t.missed, query)
		return nil
	}
	return t.tx.StmtContext(ctx, st)
}

func (t *poolTx) finish() {
	for _, query := range t.missed[:min(len(t.missed), 16)] {
		t.p.prepared(t.ctx, query)
	}
	t.missed = nil
}

func (p *pool) measure(ctx context.Context, query string, start time.Time, err error) {
	d := time.Since(start)
	if p.onTime != nil {
		p.onTime(d)
	}
	if p.logger != nil {
		p.logger.DebugContext(ctx, "sql", "query", query, "duration", d, "err", err)
	}
}

// PrepareContext is part of gorm.ConnPool.
func (p *pool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return p.db.PrepareContext(ctx, query)
}

// ExecContext is part of gorm.ConnPool.
func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	start := time.Now()
	if st := p.prepared(ctx, query); st != nil {
		res, err = st.ExecContext(ctx, p.args(args)...)
	} else {
		res, err = p.db.ExecContext(ctx, query, p.args(args)...)
	}
	p.measure(ctx, query, start, err)
	return res, err
}

// QueryContext is part of gorm.ConnPool.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	start := time.Now()
	if st := p.prepared(ctx, query); st != nil {
		rows, err = st.QueryContext(ctx, p.args(args)...)
	} else {
		rows, err = p.db.QueryContext(ctx, query, p.args(args)...)
	}
	p.measure(ctx, query, start, err)
	return rows, err
}

// QueryRowContext is part of gorm.ConnPool.
func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	start := time.Now()
	row := p.db.QueryRowContext(ctx, query, p.args(args)...)
	p.measure(ctx, query, start, row.Err())
	return row
}

// BeginTx makes pool a gorm.ConnPoolBeginner.
func (p *pool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	start := time.Now()
	tx, err := p.db.BeginTx(ctx, opts)
	p.measure(ctx, "BEGIN", start, err)
	if err != nil {
		return nil, err
	}
	return &poolTx{p: p, tx: tx, ctx: ctx}, nil
}

// GetDBConn gives GORM the pool below.
func (p *pool) GetDBConn() (*sql.DB, error) { return p.db, nil }

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, st := range p.stmts {
		_ = st.Close()
	}
	clear(p.stmts)
	return p.db.Close()
}

// poolTx is a transaction of a pool. ctx lives as long as the transaction, which is what database/sql wants of it too.
type poolTx struct {
	p      *pool
	tx     *sql.Tx
	ctx    context.Context
	missed []string // statements to keep prepared from now on
}

// PrepareContext is part of gorm.ConnPool.
func (t *poolTx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return t.tx.PrepareContext(ctx, query)
}

// ExecContext is part of gorm.ConnPool.
func (t *poolTx) ExecContext(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	ctx = t.whole(ctx)
	start := time.Now()
	if st := t.known(ctx, query); st != nil {
		res, err = st.ExecContext(ctx, t.p.args(args)...)
	} else {
		res, err = t.tx.ExecContext(ctx, query, t.p.args(args)...)
	}
	t.p.measure(ctx, query, start, err)
	return res, err
}

// QueryContext is part of gorm.ConnPool.
func (t *poolTx) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	ctx = t.whole(ctx)
	start := time.Now()
	if st := t.known(ctx, query); st != nil {
		rows, err = st.QueryContext(ctx, t.p.args(args)...)
	} else {
		rows, err = t.tx.QueryContext(ctx, query, t.p.args(args)...)
	}
	t.p.measure(ctx, query, start, err)
	return rows, err
}

// QueryRowContext is part of gorm.ConnPool.
func (t *poolTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(t.whole(ctx), query, t.p.args(args)...)
}

func (t *poolTx) whole(ctx context.Context) context.Context {
	if t.p.firm {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// Commit is part of gorm.TxCommitter.
func (t *poolTx) Commit() error {
	start := time.Now()
	err := t.tx.Commit()
	t.p.measure(t.ctx, "COMMIT", start, err)
	t.finish()
	return err
}

// Rollback is part of gorm.TxCommitter.
func (t *poolTx) Rollback() error { return t.tx.Rollback() }
