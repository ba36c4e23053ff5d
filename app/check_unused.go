package app

import (
	"strings"

	"github.com/minihub/minihub/config"
)

// checkUnused names every trait that was set and does nothing, so that nobody relies on it. Encryption inside the hub is an error: who asks
// for it must not run without it.
func checkUnused(c *config.Config, report *config.Report) {
	if c.JupyterHub.InternalSSL {
		report.Errorf("JupyterHub.internal_ssl", "remove it, and keep hub, proxy and servers on one machine or in a network that nobody else can read",
			"minihub does not encrypt the traffic among hub, proxy, servers and services")
	}
	for _, name := range withoutEffect() {
		if class, trait, _ := strings.Cut(name, "."); c.Given(class, trait) {
			report.Warnf(name, "", "minihub does not use it; the value has no effect")
		}
	}
	for _, key := range c.JupyterHub.UnknownTornadoSettings() {
		report.Warnf("JupyterHub.tornado_settings["+key+"]", "", "minihub does not use it; the value has no effect")
	}
	for _, flag := range []string{"answer_yes", "config_file", "generate_config", "show_config", "show_config_json"} {
		if _, inFile := c.Written["JupyterHub"][flag]; inFile {
			report.Warnf("JupyterHub."+flag, "write --"+strings.ReplaceAll(flag, "_", "-")+" on the command line", "it has no effect in a file")
		}
	}
}

// withoutEffect are the traits that are known, so that a configuration of JupyterHub loads, and that nothing of minihub looks at.
func withoutEffect() []string {
	return []string{
		"JupyterHub.active_user_window", "JupyterHub.extra_log_handlers",
		"JupyterHub.jinja_environment_options", "JupyterHub.log_datefmt", "JupyterHub.log_format", "JupyterHub.logging_config",
		"JupyterHub.external_ssl_authorities", "JupyterHub.generate_certs", "JupyterHub.internal_certs_location", "JupyterHub.recreate_internal_certs",
		"JupyterHub.trusted_alt_names", "JupyterHub.confirm_no_ssl", "JupyterHub.forwarded_host_header",
		"Spawner.ssl_alt_names", "Spawner.ssl_alt_names_include_local", "LocalProcessSpawner.popen_kwargs",
		"CryptKeeper.n_threads", "EventLogger.handlers",
		"ConfigurableHTTPProxy.check_running_interval", "ConfigurableHTTPProxy.command", "ConfigurableHTTPProxy.command_umask",
		"ConfigurableHTTPProxy.debug", "ConfigurableHTTPProxy.log_level", "ConfigurableHTTPProxy.pid_file",
		"JupyterHubHTTPClient.connector_options", "JupyterHubHTTPClient.session_options",
		"PeriodicMetricsCollector.event_loop_interval_enabled", "PeriodicMetricsCollector.event_loop_interval_log_threshold",
		"PeriodicMetricsCollector.event_loop_interval_resolution",
	}
}
