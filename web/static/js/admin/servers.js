// What is done with servers, and how one looks: used by rows, by their details, and for many at once.
import { api, busy, button, can, h, n, quoted, say, t, when, each } from "./dom.js";
import { sure, target } from "./dialogs.js";

const path = (user, server) => "users/" + quoted(user) + (server ? "/servers/" + quoted(server) : "/server");
export const hubPath = (page, user, server) => window.jhdata.base_url + page + "/" + quoted(user) + (server ? "/" + quoted(server) : "");

export const label = (server) => server.display_name || server.name || t("default server");
export const active = (server) => server.ready || Boolean(server.pending);
// all servers of a user; the default one is there even when it never ran.
export function serversOf(user) {
  const all = Object.values(user.servers || {}).sort((a, b) => a.name.localeCompare(b.name));
  return all.some((s) => s.name === "") ? all : [{ name: "", ready: false, pending: null, user_options: null, missing: true }, ...all];
}

export function status(server) {
  const [kind, text] = server.pending === "spawn" ? ["wait", t("starting")] : server.pending === "stop" ? ["wait", t("stopping")] :
    server.pending ? ["wait", t("busy")] : server.ready ? ["on", t("running")] : ["off", t("stopped")];
  return h("span", { class: "status status-" + kind }, h("span", { class: "dot dot-" + kind, "aria-hidden": "true" }), text);
}

export const start = (user, server) => api("POST", path(user, server));
export const stop = (user, server) => api("DELETE", path(user, server));

// controls are the buttons of one server.
export function controls(user, server, refresh) {
  const aim = target(user, server.name);
  const name = user.name + (server.name ? "/" + server.name : "");
  const run = (work, done) => async (e) => {
    await busy(e.currentTarget, async () => {
      await work();
      say(done);
    });
    refresh(user.name);
  };
  const out = [];
  if (server.ready && can("access:servers", aim)) out.push(h("a", { class: "btn btn-sm", role: "button", href: server.full_url || server.url, "aria-label": t("Open %(name)s", { name }) }, t("Open")));
  if (server.pending) out.push(h("a", { class: "btn btn-sm", role: "button", href: hubPath("spawn-pending", user.name, server.name), "aria-label": t("Watch %(name)s", { name }) }, t("Watch")));
  if (active(server)) {
    if (server.pending !== "stop" && can("delete:servers", aim)) {
      out.push(button(t("Stop"), run(() => stop(user.name, server.name), t("The server %(name)s is stopping.", { name })), { class: "btn btn-sm btn-outline-danger", "data-key": "power", "aria-label": t("Stop %(name)s", { name }) }));
    }
  } else if (can("start:servers", aim)) {
    out.push(button(t("Start"), run(() => start(user.name, server.name), t("The server %(name)s is starting.", { name })), { class: "btn btn-sm", "data-key": "power", "aria-label": t("Start %(name)s", { name }) }));
  }
  return out;
}

// more are the buttons that only the details have.
export function more(user, server, refresh) {
  const aim = target(user, server.name);
  const out = [];
  if (!active(server) && can("start:servers", aim) && can("read:servers", aim)) out.push(h("a", { class: "btn btn-sm", role: "button", href: hubPath("spawn", user.name, server.name) }, t("Start with options")));
  if (server.name && !active(server) && can("delete:servers", aim)) {
    out.push(button(t("Delete"), async (e) => {
      const el = e.currentTarget;
      if (!(await sure(t("Delete server?"), t("The server “%(server)s” of %(user)s and its settings are deleted. Files of the user stay.", { server: label(server), user: user.name }), t("Delete")))) return;
      await busy(el, async () => {
        await api("DELETE", path(user.name, server.name), { remove: true });
        say(t("The server “%(server)s” is deleted.", { server: label(server) }));
      });
      refresh(user.name);
    }, { class: "btn btn-sm btn-outline-danger", "aria-label": t("Delete server %(name)s", { name: user.name + "/" + server.name }) }));
  }
  return out;
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

// details is the table of all servers of a user.
export function details(user, refresh) {
  return h("table", { class: "table table-cards server-details" },
    h("caption", { class: "visually-hidden" }, t("Servers of %(name)s", { name: user.name })),
    h("thead", {}, h("tr", {}, [t("Server"), t("State"), t("Options"), t("Started"), t("Last activity"), t("Actions")].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, serversOf(user).map((server) => h("tr", { "data-server": server.name },
      h("td", { "data-label": t("Server") }, label(server)),
      h("td", { "data-label": t("State") }, status(server)),
      h("td", { "data-label": t("Options") }, options(server.user_options)),
      h("td", { "data-label": t("Started") }, when(server.started, "–")),
      h("td", { "data-label": t("Last activity") }, when(server.last_activity)),
      h("td", { "data-label": t("Actions") }, h("span", { class: "row-actions" }, controls(user, server, refresh), more(user, server, refresh)))))));
}

function options(given) {
  const entries = Object.entries(given || {});
  if (!entries.length) return h("span", { class: "muted" }, t("none"));
  return h("dl", { class: "options" }, entries.map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd", {}, shown(value)))));
}

// startMany and stopMany work on the default servers of users, or on all servers that run.
export async function startMany(users) {
  const idle = users.filter((u) => !serversOf(u).some((s) => s.name === "" && active(s)));
  const done = await each(idle, (u) => start(u.name, ""), (i, all) => t("Starting servers: %(done)s of %(all)s", { done: i, all }));
  say(n("%(num)s server is starting or running.", "%(num)s servers are starting or running.", done));
}

export async function stopMany(users) {
  const running = users.flatMap((u) => serversOf(u).filter((s) => active(s) && s.pending !== "stop").map((s) => [u.name, s.name]));
  const done = await each(running, ([user, server]) => stop(user, server), (i, all) => t("Stopping servers: %(done)s of %(all)s", { done: i, all }));
  say(n("%(num)s server is stopped or stopping.", "%(num)s servers are stopped or stopping.", done));
}

// everythingActive collects all users with active servers, page by page.
export async function everythingActive() {
  const users = [];
  for (let offset = 0, next = true; next; ) {
    const page = await api("GET", "users?state=active&limit=200&offset=" + offset);
    users.push(...page.items);
    next = page._pagination.next;
    offset = next ? next.offset : 0;
  }
  return users;
}
