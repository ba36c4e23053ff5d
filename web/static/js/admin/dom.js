// Small helpers of the admin page: elements, texts, the REST API, rights, messages and questions.
export const t = window.jht;
export const n = window.jhn;

const root = document.getElementById("admin");
export const facts = JSON.parse(document.getElementById("admin-data").textContent);

// h makes an element: attributes, on* listeners, children as nodes or text (never HTML).
export function h(tag, attributes, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "indeterminate") el[name] = value;
    else el.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== false) el.append(child);
  return el;
}

export function button(text, onclick, attributes) {
  return h("button", { type: "button", class: "btn btn-sm", ...attributes, onclick }, text);
}

// when shows a time as the other pages do.
export function when(iso, never) {
  if (!iso) return h("span", { class: "muted" }, never || t("Never"));
  const date = new Date(iso);
  let seconds = (date - Date.now()) / 1000;
  let text = t("just now");
  if (Math.abs(seconds) >= 5) {
    const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
    for (const [size, unit] of [[60, "second"], [60, "minute"], [24, "hour"], [30, "day"], [12, "month"], [Infinity, "year"]]) {
      if (Math.round(Math.abs(seconds)) < size) {
        text = format.format(Math.round(seconds), unit);
        break;
      }
      seconds /= size;
    }
  }
  return h("time", { datetime: iso, title: date.toLocaleString(document.documentElement.lang) }, text);
}

export const number = (value) => new Intl.NumberFormat(document.documentElement.lang).format(value);
export const quoted = encodeURIComponent;
export const words = (text) => text.split(/[\s,;]+/).filter(Boolean);

// api calls the REST API; a refusal is an Error with status and hint.
export async function api(method, path, body, signal) {
  const options = { method, signal, credentials: "same-origin", headers: {
    Accept: "application/jupyterhub-pagination+json, application/json", "X-XSRFToken": window.jhdata.xsrf_token } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(root.dataset.api + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(t("The hub cannot be reached."));
  }
  const text = await answer.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    // not JSON: only the status counts
  }
  if (answer.ok) return json;
  const error = new Error(window.jherror((json && json.message) || answer.statusText || "HTTP " + answer.status));
  error.status = answer.status;
  error.hint = json && window.jherror(json.hint);
  if (answer.status === 403 && json && /credentials|_xsrf/.test(json.message || "")) {
    error.hint = t("You may have been logged out in another tab. Reload the page to log in again.");
  }
  throw error;
}

// can tells whether the viewer holds a scope: everywhere, or for a user, group or server ({user: "ann", server: "", group: "x", groups: [..]}).
export function can(scope, target) {
  return facts.scopes.some((held) => {
    const [name, filter] = held.split(/!(.*)/s);
    if (name !== scope) return false;
    if (filter === undefined || !target) return true;
    const [kind, value] = filter.split(/=(.*)/s);
    if (kind === "user") return value === target.user;
    if (kind === "server") return target.server !== undefined && value === target.user + "/" + target.server;
    if (kind === "group") return target.group === value || (target.groups || []).includes(value);
    return false;
  });
}

// say tells screen readers and everybody what happened; undo is offered for a while.
export function say(text, undo) {
  const line = document.getElementById("admin-status");
  line.replaceChildren(text);
  line.classList.add("shown");
  clearTimeout(say.timer);
  if (undo) {
    line.append(" ", button(t("Undo"), () => {
      line.replaceChildren();
      undo();
    }));
  }
  say.timer = setTimeout(() => line.classList.remove("shown"), undo ? 15000 : 6000);
}

// fail shows an error with its hint until it is dismissed.
export function fail(error) {
  if (error.name === "AbortError") return;
  const box = h("div", { class: "alert alert-danger admin-error" },
    h("div", {}, h("strong", {}, error.message), error.hint ? h("div", {}, error.hint) : null),
    button("×", () => box.remove(), { "aria-label": t("Dismiss"), class: "btn btn-sm btn-ghost" }));
  const place = document.getElementById("admin-errors");
  place.append(box);
  while (place.children.length > 4) place.firstElementChild.remove();
  box.scrollIntoView({ block: "nearest" });
}

// busy runs something with its button disabled, and shows what goes wrong.
export async function busy(el, work) {
  if (el) el.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } catch (error) {
    fail(error);
    return undefined;
  } finally {
    if (el) el.removeAttribute("aria-disabled");
  }
}

// each works on many items, a few at a time; errors are collected.
export async function each(items, work, text) {
  const queue = [...items];
  const errors = [];
  let done = 0;
  async function worker() {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        errors.push(error);
      }
      done += 1;
      if (text) say(text(done, items.length));
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()]);
  errors.slice(0, 3).forEach(fail);
  if (errors.length > 3) fail(new Error(n("%(num)s more could not be done.", "%(num)s more could not be done.", errors.length - 3)));
  return items.length - errors.length;
}
