// The table of users: search, order, pages, selection, details.
import { api, busy, button, can, each, facts, fail, h, n, number, quoted, say, t, when } from "./dom.js";
import { addUsers, editUser, sure, target, tokens } from "./dialogs.js";
import { controls, details, everythingActive, serversOf, active, startMany, status, stopMany } from "./servers.js";

const url = new URLSearchParams(location.search);
const state = { offset: Number(url.get("offset")) || 0, limit: Number(url.get("limit")) || facts.limit, sort: url.get("sort") || "id", name_filter: url.get("name_filter") || "", state: url.get("state") || "" };
const selected = new Map(); // name -> user, also of other pages
const expanded = new Set();
let page = { items: [], total: 0 };
let last = null; // the row that was checked last, for ranges
let loading = null;
const parts = {};

// build makes the frame of the tab once.
export function build(panel) {
  const search = h("input", { class: "form-control", type: "search", id: "user-search", value: state.name_filter, placeholder: t("Search users"), "aria-label": t("Search users"), autocomplete: "off", spellcheck: "false" });
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ name_filter: search.value.trim(), offset: 0 }), 120);
  });
  const choice = (name, label, values, current) => h("select", { class: "form-select", "aria-label": label, onchange: (e) => change({ [name]: name === "limit" ? Number(e.target.value) : e.target.value, offset: 0 }) },
    values.map(([value, text]) => h("option", { value, selected: String(value) === String(current) }, text)));
  const states = [["", t("All users")], ["active", t("With active servers")], ["ready", t("With running servers")], ["inactive", t("Without active servers")]];
  const orders = [["id", t("Oldest first")], ["-id", t("Newest first")], ["name", t("Name, A to Z")], ["-name", t("Name, Z to A")], ["-last_activity", t("Latest activity first")], ["last_activity", t("Longest idle first")]];
  const sizes = [...new Set([25, 50, 100, 200, state.limit])].sort((a, b) => a - b).map((size) => [size, t("%(num)s per page", { num: size })]);
  parts.order = choice("sort", t("Order"), orders, state.sort);
  parts.count = h("p", { class: "muted count", id: "user-count", role: "status" });
  parts.bulk = h("div", { class: "bulk", role: "group", "aria-label": t("Selected users"), hidden: true });
  parts.all = h("input", { type: "checkbox", "aria-label": t("Select all users of this page"), onchange: (e) => selectPage(e.target.checked) });
  parts.head = h("thead", {}, h("tr", {}, h("th", { class: "check-col" }, parts.all), heading("name", t("User")), h("th", { scope: "col" }, t("Server")), h("th", { scope: "col" }, t("Groups")), heading("last_activity", t("Last activity")), h("th", { scope: "col" }, t("Actions"))));
  parts.table = h("table", { class: "table people table-cards", "aria-describedby": "user-count" }, parts.head);
  parts.pager = h("nav", { class: "pagination", "aria-label": t("Pages") });
  parts.live = h("span", { class: "muted small", id: "admin-live" });
  panel.append(
    h("div", { class: "toolbar", role: "search" }, search, choice("state", t("State of servers"), states, state.state), parts.order, choice("limit", t("Size of a page"), sizes, state.limit),
      h("span", { class: "spacer" }), can("admin:users") ? button(t("Add users"), async () => (await addUsers()) && load(), { class: "btn btn-primary", id: "add-users" }) : null),
    h("div", { class: "above-table" }, parts.count, parts.live), parts.bulk, h("div", { class: "table-wrap" }, parts.table), parts.pager);
  return load();
}

function heading(key, text) {
  return h("th", { scope: "col", "data-sort": key }, h("button", { type: "button", class: "sort", onclick: () => change({ sort: state.sort === key ? "-" + key : key, offset: 0 }) }, text));
}

function change(what) {
  Object.assign(state, what);
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) if (value && !(key === "sort" && value === "id") && !(key === "limit" && value === facts.limit)) q.set(key, value);
  history.replaceState(null, "", location.pathname + (q.size ? "?" + q : ""));
  parts.order.value = state.sort;
  return load();
}

// load asks for the page of the table; an older request that is still under way is dropped.
export async function load() {
  if (loading) loading.abort();
  const mine = (loading = new AbortController());
  const q = new URLSearchParams({ include_stopped_servers: 1, offset: state.offset, limit: state.limit, sort: state.sort, name_filter: state.name_filter, state: state.state });
  try {
    const answer = await api("GET", "users?" + q, undefined, mine.signal);
    page = { items: answer.items, total: answer._pagination.total };
    for (const user of page.items) if (selected.has(user.name)) selected.set(user.name, user);
    if (!page.items.length && page.total && state.offset >= page.total) {
      return change({ offset: Math.max(0, Math.floor((page.total - 1) / state.limit) * state.limit) });
    }
    render();
  } catch (error) {
    fail(error);
  } finally {
    if (loading === mine) loading = null;
  }
  return undefined;
}

// refresh asks for one user again, whose row is replaced; the focus stays where it was.
export async function refresh(name) {
  const i = page.items.findIndex((u) => u.name === name);
  try {
    const user = await api("GET", "users/" + quoted(name) + "?include_stopped_servers=1");
    if (selected.has(name)) selected.set(name, user);
    if (i < 0) return load();
    page.items[i] = user;
    replace(parts.table.tBodies[i], row(user));
  } catch (error) {
    if (error.status !== 404) return fail(error);
    selected.delete(name);
    return load();
  }
  return undefined;
}

export const isShown = (name) => page.items.some((u) => u.name === name);

function replace(old, now) {
  const focus = old && old.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  old.replaceWith(now);
  if (focus) (now.querySelector(focus) || now.querySelector("button")).focus();
}

function keyOf(el) {
  const key = el.dataset.key ? `[data-key="${el.dataset.key}"]` : el.type === "checkbox" ? "input[type=checkbox]" : "button";
  const server = el.closest("[data-server]");
  return server ? `[data-server="${CSS.escape(server.dataset.server)}"] ${key}` : key;
}

function render() {
  const inside = parts.table.contains(document.activeElement) && document.activeElement.closest("tbody");
  const focus = inside && [inside.dataset.user, keyOf(document.activeElement)];
  const bodies = page.items.map(row);
  if (!bodies.length) bodies.push(h("tbody", {}, h("tr", {}, h("td", { colspan: 6, class: "none text-center muted" }, state.name_filter || state.state ? t("No users match.") : t("There are no users.")))));
  parts.table.replaceChildren(parts.head, ...bodies);
  if (focus) {
    const again = bodies.find((b) => b.dataset.user === focus[0]);
    const el = again && again.querySelector(focus[1]);
    if (el) el.focus();
  }
  for (const th of parts.head.querySelectorAll("[data-sort]")) {
    const key = th.dataset.sort;
    if (state.sort === key || state.sort === "-" + key) th.setAttribute("aria-sort", state.sort === key ? "ascending" : "descending");
    else th.removeAttribute("aria-sort");
  }
  parts.count.textContent = state.name_filter || state.state ? n("%(count)s user found", "%(count)s users found", page.total, { count: number(page.total) }) : n("%(count)s user", "%(count)s users", page.total, { count: number(page.total) });
  pager();
  bulk();
}

function pager() {
  const end = Math.min(state.offset + page.items.length, page.total);
  const step = (text, offset, ok) => button(text, () => change({ offset }), { class: "btn btn-sm", disabled: !ok });
  parts.pager.replaceChildren(...(page.total <= state.limit && !state.offset ? [] : [
    step(t("First"), 0, state.offset > 0), step(t("Previous"), Math.max(0, state.offset - state.limit), state.offset > 0),
    h("span", { class: "muted" }, t("%(first)s–%(last)s of %(total)s", { first: number(Math.min(state.offset + 1, page.total)), last: number(end), total: number(page.total) })),
    step(t("Next"), state.offset + state.limit, end < page.total), step(t("Last"), Math.max(0, Math.floor((page.total - 1) / state.limit) * state.limit), end < page.total)]));
}

// row is a <tbody>: the user, and the details when they are open.
function row(user) {
  const open = expanded.has(user.name);
  const servers = serversOf(user);
  const named = servers.filter((s) => s.name);
  const running = named.filter(active).length;
  const box = h("input", { type: "checkbox", checked: selected.has(user.name), "aria-label": t("Select %(name)s", { name: user.name }), onclick: (e) => select(user.name, e.target.checked, e.shiftKey) });
  const id = "details-" + user.name;
  const toggle = h("button", { type: "button", class: "expand", "data-key": "expand", "aria-expanded": String(open), "aria-controls": open ? id : null, onclick: () => {
    if (!expanded.delete(user.name)) expanded.add(user.name);
    replace(document.activeElement.closest("tbody"), row(user));
  } }, h("span", { class: "chevron", "aria-hidden": "true" }), h("span", { class: "wrap" }, user.name));
  return h("tbody", { "data-user": user.name, class: selected.has(user.name) ? "selected" : null },
    h("tr", { class: "user-row" },
      h("td", { class: "check-col" }, box),
      h("td", { class: "name-col" }, toggle, user.admin ? h("span", { class: "badge badge-accent" }, t("admin")) : null),
      h("td", { "data-label": t("Server") }, h("span", { class: "inline" }, status(servers[0]), named.length ? h("span", { class: "muted small" }, running ? t("+ %(num)s named, %(running)s active", { num: named.length, running }) : t("+ %(num)s named", { num: named.length })) : null)),
      h("td", { "data-label": t("Groups") }, !(user.groups || []).length ? null : h("span", { class: "inline" }, user.groups.slice(0, 3).map((g) => h("span", { class: "badge" }, g)), user.groups.length > 3 ? h("span", { class: "muted small" }, "+" + (user.groups.length - 3)) : null)),
      h("td", { "data-label": t("Last activity") }, when(user.last_activity)),
      h("td", { class: "actions-col" }, h("span", { class: "row-actions" }, controls(user, servers[0], refresh)))),
    open ? h("tr", { class: "detail-row", id }, h("td", { colspan: 6 }, panel(user))) : null);
}

function panel(user) {
  const aim = target(user);
  return h("div", { class: "detail" },
    h("dl", { class: "facts" }, [[t("Created"), user.created ? when(user.created) : null], [t("Roles"), (user.roles || []).join(", ")], [t("Groups"), (user.groups || []).join(", ")]]
      .filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    details(user, refresh),
    h("p", { class: "actions" },
      can("read:tokens", aim) ? button(t("Tokens"), () => tokens(user), { "aria-label": t("Tokens of %(name)s", { name: user.name }) }) : null,
      can("admin:users", aim) ? button(t("Edit"), () => editUser(user).then((name) => {
        if (!name) return;
        if (name !== user.name && expanded.delete(user.name)) expanded.add(name);
        load();
      }), { "aria-label": t("Edit %(name)s", { name: user.name }) }) : null,
      can("delete:users", aim) && user.name !== window.jhdata.user ? button(t("Delete user"), (e) => remove(e.currentTarget, [user]), { class: "btn btn-sm btn-outline-danger", "aria-label": t("Delete user %(name)s", { name: user.name }) }) : null));
}

async function remove(el, users) {
  const names = users.map((u) => u.name);
  const some = names.slice(0, 5).join(", ") + (names.length > 5 ? " …" : "");
  if (!(await sure(n("Delete %(num)s user?", "Delete %(num)s users?", names.length), t("%(names)s: all their servers stop, their tokens stop working, and their settings are deleted. This cannot be undone. Files are not touched.", { names: some }), t("Delete")))) return;
  await busy(el, async () => {
    const done = await each(names, async (name) => {
      await api("DELETE", "users/" + quoted(name));
      selected.delete(name);
      expanded.delete(name);
    });
    if (done) say(n("%(num)s user is deleted.", "%(num)s users are deleted.", done));
  });
  load();
}

// select checks a row; with shift all rows from the one that was checked last.
function select(name, on, range) {
  const names = page.items.map((u) => u.name);
  let some = [name];
  if (range && last && names.includes(last)) {
    const [a, b] = [names.indexOf(last), names.indexOf(name)].sort((x, y) => x - y);
    some = names.slice(a, b + 1);
  }
  mark(some, on);
  last = name;
}

const selectPage = (on) => mark(page.items.map((u) => u.name), on);

function mark(names, on) {
  for (const user of page.items) {
    if (!names.includes(user.name)) continue;
    if (on) selected.set(user.name, user);
    else selected.delete(user.name);
    const body = [...parts.table.tBodies].find((b) => b.dataset.user === user.name);
    body.classList.toggle("selected", on);
    body.querySelector("input[type=checkbox]").checked = on;
  }
  bulk();
}

// selection are the selected users as they are now: of those on other pages the hub is asked again.
async function selection() {
  await Promise.all([...selected.keys()].filter((name) => !isShown(name)).map(async (name) => {
    try {
      selected.set(name, await api("GET", "users/" + quoted(name) + "?include_stopped_servers=1"));
    } catch (error) {
      if (error.status !== 404) throw error;
      selected.delete(name);
    }
  }));
  return [...selected.values()];
}

function bulk() {
  const here = page.items.filter((u) => selected.has(u.name)).length;
  parts.all.checked = here > 0 && here === page.items.length;
  parts.all.indeterminate = here > 0 && here < page.items.length;
  parts.bulk.hidden = !selected.size;
  if (!selected.size) return parts.bulk.replaceChildren();
  const users = [...selected.values()];
  const run = (work) => async (e) => {
    await busy(e.currentTarget, async () => work(await selection()));
    load();
  };
  parts.bulk.replaceChildren(
    h("strong", { role: "status" }, n("%(num)s user selected", "%(num)s users selected", users.length)),
    can("start:servers") ? button(t("Start servers"), run(startMany)) : "",
    can("delete:servers") ? button(t("Stop servers"), run(stopMany)) : "",
    can("delete:users") ? button(t("Delete users"), (e) => remove(e.currentTarget, users), { class: "btn btn-sm btn-outline-danger" }) : "",
    button(t("Clear selection"), () => {
      mark([...selected.keys()], false);
      selected.clear();
      bulk();
      parts.all.focus();
    }, { class: "btn btn-sm btn-ghost" }));
  return undefined;
}

// stopAll stops every server of the hub, after asking with their number.
export async function stopAll(el) {
  await busy(el, async () => {
    const users = await everythingActive();
    const count = users.flatMap(serversOf).filter(active).length;
    if (!count) return say(t("No server is running."));
    if (!(await sure(t("Stop all servers?"), n("%(num)s server is stopped. Work that is not saved is lost.", "%(num)s servers are stopped. Work that is not saved is lost.", count), t("Stop all")))) return undefined;
    return stopMany(users);
  });
  load();
}
