// Package metrics has the hub's Prometheus metrics under JupyterHub's names (behaviours.md section 14), so that existing
// dashboards and alerts go on working. [Metrics] satisfies the observer interfaces of hub, httpmw and others by its methods;
// nothing here knows those packages.
//
// One oddity is kept: login status and poll status are exported as LoginStatus.success and ServerPollStatus.running, the
// names of Python enum members, because dashboards select on them.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options configure Metrics.
type Options struct {
	Prefix       string    // JUPYTERHUB_METRICS_PREFIX; "" = jupyterhub
	SpawnBuckets []float64 // JUPYTERHUB_SERVER_SPAWN_DURATION_SECONDS_BUCKETS, seconds; nil: JupyterHub's default
	StopBuckets  []float64 // JUPYTERHUB_SERVER_STOP_DURATION_SECONDS_BUCKETS, seconds; nil: Prometheus' default
}

// Metrics are all metrics of one hub. Safe for concurrent use.
type Metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.HistogramVec
	spawns      *prometheus.HistogramVec
	stops       *prometheus.HistogramVec
	polls       *prometheus.HistogramVec
	routeAdds   *prometheus.HistogramVec
	routeDels   *prometheus.HistogramVec
	logins      *prometheus.HistogramVec
	logouts     prometheus.Histogram
	checkRoutes prometheus.Histogram
	startup     prometheus.Histogram
	initServers prometheus.Histogram
	proxyPoll   prometheus.Histogram
	running     prometheus.Gauge
	users       prometheus.Gauge
	active      *prometheus.GaugeVec
	csp         prometheus.Counter
}

var spawnBuckets = []float64{.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 180, 300, 600}

// New returns Metrics in a registry of their own.
func New(o Options) *Metrics {
	if o.Prefix == "" {
		o.Prefix = "jupyterhub"
	}
	if o.SpawnBuckets == nil {
		o.SpawnBuckets = spawnBuckets
	}
	b := builder{prefix: o.Prefix, registry: prometheus.NewRegistry()}
	b.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &Metrics{
		registry:    b.registry,
		requests:    b.histograms("request_duration_seconds", "Time to answer a request", nil, "method", "handler", "code"),
		spawns:      b.histograms("server_spawn_duration_seconds", "Time to start a server, by result", o.SpawnBuckets, "status", "reason"),
		stops:       b.histograms("server_stop_seconds", "Time to stop a server", o.StopBuckets, "status"),
		polls:       b.histograms("server_poll_duration_seconds", "Time to poll a server", nil, "status"),
		routeAdds:   b.histograms("proxy_add_duration_seconds", "Time to add a route to the proxy", nil, "status"),
		routeDels:   b.histograms("proxy_delete_duration_seconds", "Time to delete a route from the proxy", nil, "status"),
		logins:      b.histograms("login_duration_seconds", "Time of a login", nil, "status"),
		logouts:     b.histogram("logout_duration_seconds", "Time of a logout"),
		checkRoutes: b.histogram("check_routes_duration_seconds", "Time to compare the proxy's routes with the wanted ones"),
		startup:     b.histogram("hub_startup_duration_seconds", "Time to start the hub"),
		initServers: b.histogram("init_spawners_duration_seconds", "Time to check the servers of an earlier hub at start"),
		proxyPoll:   b.histogram("proxy_poll_duration_seconds", "Time to fetch the routes from the proxy"),
		running:     b.gauge("running_servers", "Servers that are active"),
		users:       b.gauge("total_users", "Users in the database"),
		active:      b.gauges("active_users", "Users active within a period", "period"),
		csp:         b.counter("csp_reports_total", "Reports of Content-Security-Policy violations"),
	}
}

type builder struct {
	prefix   string
	registry *prometheus.Registry
}

func (b builder) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: b.prefix, Name: name, Help: help, Buckets: buckets}, labels)
	b.registry.MustRegister(v)
	return v
}

func (b builder) histogram(name, help string) prometheus.Histogram {
	v := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: b.prefix, Name: name, Help: help})
	b.registry.MustRegister(v)
	return v
}

func (b builder) gauge(name, help string) prometheus.Gauge {
	v := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: b.prefix, Name: name, Help: help})
	b.registry.MustRegister(v)
	return v
}

func (b builder) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: b.prefix, Name: name, Help: help}, labels)
	b.registry.MustRegister(v)
	return v
}

func (b builder) counter(name, help string) prometheus.Counter {
	v := prometheus.NewCounter(prometheus.CounterOpts{Namespace: b.prefix, Name: name, Help: help})
	b.registry.MustRegister(v)
	return v
}

// Handler answers with all metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func outcome(ok bool) string {
	if ok {
		return "success"
	}
	return "failure"
}

// Request records an answered request.
func (m *Metrics) Request(method, handler string, code int, d time.Duration) {
	m.requests.WithLabelValues(method, handler, strconv.Itoa(code)).Observe(d.Seconds())
}

// Spawned records a finished start: status success, failure or error.
func (m *Metrics) Spawned(d time.Duration, status, reason string) {
	m.spawns.WithLabelValues(status, reason).Observe(d.Seconds())
}

// Stopped records a finished stop.
func (m *Metrics) Stopped(d time.Duration, ok bool) {
	m.stops.WithLabelValues(outcome(ok)).Observe(d.Seconds())
}

// Polled records a poll of a server.
func (m *Metrics) Polled(d time.Duration, running bool) {
	status := "ServerPollStatus.stopped"
	if running {
		status = "ServerPollStatus.running"
	}
	m.polls.WithLabelValues(status).Observe(d.Seconds())
}

// RouteAdded records the adding of a proxy route.
func (m *Metrics) RouteAdded(d time.Duration, ok bool) {
	m.routeAdds.WithLabelValues(outcome(ok)).Observe(d.Seconds())
}

// RouteDeleted records the deletion of a proxy route.
func (m *Metrics) RouteDeleted(d time.Duration, ok bool) {
	m.routeDels.WithLabelValues(outcome(ok)).Observe(d.Seconds())
}

// Running sets the number of active servers.
func (m *Metrics) Running(n int) { m.running.Set(float64(n)) }

// LoggedIn records a login attempt.
func (m *Metrics) LoggedIn(d time.Duration, ok bool) {
	m.logins.WithLabelValues("LoginStatus." + outcome(ok)).Observe(d.Seconds())
}

// LoggedOut records a logout.
func (m *Metrics) LoggedOut(d time.Duration) { m.logouts.Observe(d.Seconds()) }

// CheckedRoutes records a comparison of the proxy's routes with the wanted ones.
func (m *Metrics) CheckedRoutes(d time.Duration) { m.checkRoutes.Observe(d.Seconds()) }

// PolledProxy records a fetch of the proxy's routes.
func (m *Metrics) PolledProxy(d time.Duration) { m.proxyPoll.Observe(d.Seconds()) }

// StartedUp records how long the hub took to start.
func (m *Metrics) StartedUp(d time.Duration) { m.startup.Observe(d.Seconds()) }

// RestoredServers records how long the check of servers at start took.
func (m *Metrics) RestoredServers(d time.Duration) { m.initServers.Observe(d.Seconds()) }

// SetUsers sets the number of users; AddUsers changes it.
func (m *Metrics) SetUsers(n int) { m.users.Set(float64(n)) }

// AddUsers changes the number of users by delta.
func (m *Metrics) AddUsers(delta int) { m.users.Add(float64(delta)) }

// SetActiveUsers sets how many users were active within a period: 24h, 7d or 30d.
func (m *Metrics) SetActiveUsers(period string, n int) {
	m.active.WithLabelValues(period).Set(float64(n))
}

// CSPReport counts a report of a Content-Security-Policy violation.
func (m *Metrics) CSPReport() { m.csp.Inc() }
