// Dialogs: native <dialog>, so that Escape, focus and the rest of the page behave as people expect.
import { h, t, n, api, busy, button, can, fail, quoted, say, when, words, each } from "./dom.js";
import { parseCSV } from "./csv.js";

let count = 0;

// open shows a dialog and resolves to what its form's submit returns, or undefined when it is cancelled. submit may throw: the error is
// shown inside, and the dialog stays.
export function open({ title, body, ok, danger, submit, cancel }) {
  const id = "admin-dialog-" + ++count;
  const back = document.activeElement;
  return new Promise((resolve) => {
    const problem = h("div", { role: "alert" });
    const confirm = ok && h("button", { class: "btn " + (danger ? "btn-danger" : "btn-primary") }, ok);
    const form = h("form", { method: "dialog" },
      h("h2", { id: id + "-title" }, title), body, problem,
      h("p", { class: "actions actions-end" }, button(cancel || (ok ? t("Cancel") : t("Close")), () => dialog.close(), { class: "btn" }), confirm));
    const dialog = h("dialog", { class: "modal admin-dialog", id, "aria-labelledby": id + "-title" }, form);
    let result;
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      if (confirm && confirm.disabled) return;
      if (confirm) confirm.disabled = true;
      problem.replaceChildren();
      try {
        result = submit ? await submit(form) : true;
        dialog.close();
      } catch (error) {
        problem.append(h("div", { class: "alert alert-danger" }, h("strong", {}, error.message), error.hint ? h("div", {}, error.hint) : null));
      } finally {
        if (confirm) confirm.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      // What was clicked may have been drawn again meanwhile; its label names whom it is about.
      const label = back && back.getAttribute("aria-label");
      const again = back && (back.isConnected ? back : label && document.querySelector(`[aria-label="${CSS.escape(label)}"]`));
      if (again) again.focus();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// sure asks before something is destroyed.
export const sure = (title, text, ok) => open({ title, body: h("p", {}, text), ok, danger: true });

function field(label, input, help) {
  input.id = "admin-field-" + ++count;
  if (help) input.setAttribute("aria-describedby", input.id + "-help");
  return h("div", { class: "form-group" }, h("label", { for: input.id }, label), input,
    help ? h("div", { class: "form-text", id: input.id + "-help" }, help) : null);
}

const check = (label, name, checked) => h("label", { class: "check" }, h("input", { type: "checkbox", name, checked }), " ", label);

// addUsers creates users from names or from a CSV file.
export function addUsers() {
  const names = h("textarea", { class: "form-control", name: "usernames", rows: 5, spellcheck: "false" });
  const file = h("input", { class: "form-control", type: "file", name: "csv", accept: ".csv,text/csv" });
  const preview = h("div", { "aria-live": "polite" });
  let rows = null;
  file.addEventListener("change", async () => {
    preview.replaceChildren();
    rows = null;
    if (!file.files.length) return;
    const parsed = parseCSV(await file.files[0].text());
    rows = parsed.rows;
    preview.append(h("p", {}, n("%(num)s user in the file.", "%(num)s users in the file.", rows.length)),
      parsed.problems.length ? h("ul", { class: "alert alert-warning" }, parsed.problems.slice(0, 5).map((p) => h("li", {}, p))) : "",
      h("div", { class: "table-wrap preview", tabindex: 0, role: "region", "aria-label": t("Preview") }, h("table", { class: "table" },
        h("thead", {}, h("tr", {}, h("th", {}, t("Name")), h("th", {}, t("Administrator")), h("th", {}, t("Groups")))),
        h("tbody", {}, rows.slice(0, 50).map((r) => h("tr", {}, h("td", {}, r.name), h("td", {}, r.admin ? t("yes") : t("no")), h("td", {}, r.groups.join(", "))))))));
  });
  return open({ title: t("Add users"), ok: t("Add users"),
    body: [field(t("Names"), names, t("One or many, separated by spaces, commas or lines")), check(t("They are administrators"), "admin", false),
      h("div", { class: "or" }, t("or")),
      field(t("CSV file"), file, t("Columns name, admin and groups; several groups are separated by semicolons")), preview],
    submit: async (form) => {
      const all = words(names.value).map((name) => ({ name, admin: form.elements.admin.checked, groups: [] })).concat(rows || []);
      if (!all.length) throw new Error(t("Give at least one name or a file with names."));
      return createUsers(all);
    } });
}

// createUsers creates users a hundred at a time, which for each request is all or nothing, and puts them into their groups.
async function createUsers(all) {
  let done = 0;
  for (const admin of [false, true]) {
    const names = [...new Set(all.filter((u) => Boolean(u.admin) === admin).map((u) => u.name))];
    for (let i = 0; i < names.length; i += 100) {
      try {
        done += (await api("POST", "users", { usernames: names.slice(i, i + 100), admin })).length;
      } catch (error) {
        if (error.status !== 409 || !all.some((u) => u.groups.length)) throw error; // they exist already: there are groups left to do
      }
      if (names.length > 100) say(t("%(done)s of %(all)s users are there.", { done, all: all.length }));
    }
  }
  const members = new Map();
  for (const u of all) for (const g of u.groups) members.set(g, [...(members.get(g) || []), u.name]);
  for (const [group, users] of members) {
    try {
      await api("POST", "groups/" + quoted(group));
    } catch (error) {
      if (error.status !== 409) throw error; // it exists already
    }
    await api("POST", "groups/" + quoted(group) + "/users", { users });
  }
  say(n("%(num)s user added.", "%(num)s users added.", done));
  return true;
}

// editUser renames a user and changes the admin flag.
export function editUser(user) {
  const name = h("input", { class: "form-control", name: "name", value: user.name, required: true, maxlength: 255 });
  return open({ title: t("Edit %(name)s", { name: user.name }), ok: t("Save"),
    body: [field(t("Name"), name), check(t("Administrator"), "admin", user.admin)],
    submit: async (form) => {
      const body = {};
      if (name.value !== user.name) body.name = name.value;
      if (form.elements.admin.checked !== Boolean(user.admin)) body.admin = form.elements.admin.checked;
      if (Object.keys(body).length) {
        await api("PATCH", "users/" + quoted(user.name), body);
        say(t("%(name)s is changed.", { name: body.name || user.name }));
      }
      return body.name || user.name;
    } });
}

const expiries = () => [[3600, t("1 hour")], [86400, t("1 day")], [604800, t("1 week")], [2592000, t("30 days")], [31536000, t("1 year")], ["", t("Never")]];

// tokens lists, makes and revokes the tokens of a user.
export async function tokens(user) {
  const path = "users/" + quoted(user.name) + "/tokens";
  const place = h("div", { "aria-live": "polite" });
  async function show() {
    const found = await api("GET", path);
    const list = found.api_tokens || found.items || [];
    place.replaceChildren(list.length ? h("div", { class: "table-wrap" }, h("table", { class: "table table-cards tokens" },
      h("thead", {}, h("tr", {}, [t("Note"), t("Last used"), t("Expires"), t("Actions")].map((x) => h("th", {}, x)))),
      h("tbody", {}, list.map((token) => h("tr", {},
        h("td", { "data-label": t("Note") }, h("span", {}, token.note || token.oauth_client || "", h("div", { class: "muted small wrap" }, (token.scopes || []).slice(0, 4).join(", "), (token.scopes || []).length > 4 ? " …" : ""))),
        h("td", { "data-label": t("Last used") }, when(token.last_activity)), h("td", { "data-label": t("Expires") }, when(token.expires_at)),
        h("td", { "data-label": t("Actions") }, can("tokens", target(user)) ? button(t("Revoke"), (e) => revoke(e.currentTarget, token), { class: "btn btn-sm btn-outline-danger", "aria-label": t("Revoke token %(name)s", { name: token.note || token.id }) }) : "")))))) :
      h("p", { class: "muted" }, t("There are no tokens.")));
  }
  async function revoke(el, token) {
    if (!(await sure(t("Revoke token?"), t("Programs that use the token “%(name)s” lose their access at once.", { name: token.note || token.id }), t("Revoke")))) return;
    await busy(el, async () => {
      await api("DELETE", path + "/" + token.id);
      say(t("The token is revoked."));
      await show();
    });
  }
  const note = h("input", { class: "form-control", name: "note", maxlength: 255 });
  const expires = h("select", { class: "form-select", name: "expires" }, expiries().map(([value, text]) => h("option", { value }, text)));
  const scopes = h("input", { class: "form-control", name: "scopes" });
  const result = h("div", { "aria-live": "assertive" });
  const create = button(t("Create token"), () => busy(create, async () => {
    const body = { note: note.value || t("Made on the admin page") };
    if (expires.value) body.expires_in = Number(expires.value);
    if (words(scopes.value).length) body.scopes = words(scopes.value);
    const made = await api("POST", path, body).catch((error) => {
      result.replaceChildren(h("div", { class: "alert alert-danger", role: "alert" }, h("strong", {}, error.message), error.hint ? h("div", {}, error.hint) : null));
    });
    if (!made) return;
    const value = h("input", { class: "form-control mono", readonly: true, value: made.token, "aria-label": t("The new token") });
    result.replaceChildren(h("p", { class: "alert alert-success" }, t("Copy the token now: it is not shown again."), value));
    value.select();
    await show();
  }), { class: "btn btn-primary" });
  try {
    await show();
  } catch (error) {
    fail(error);
    return;
  }
  const maker = can("tokens", target(user)) ? h("fieldset", {}, h("legend", {}, t("New token")), field(t("Note"), note), field(t("Expires after"), expires),
    field(t("Scopes"), scopes, t("Separated by spaces; empty: all that the user may do")), create, result) : null;
  await open({ title: t("Tokens of %(name)s", { name: user.name }), body: [place, maker] });
}

export const target = (user, server) => ({ user: user.name, groups: user.groups || [], server });

// shutdown asks what else is to end.
export function shutdown() {
  return open({ title: t("Shut down the hub?"), ok: t("Shut down"), danger: true,
    body: [h("p", {}, t("Nobody can log in or start a server until it is started again.")), check(t("Stop all servers, too"), "servers", true), check(t("Stop the proxy, too: running servers cannot be reached without it"), "proxy", true)],
    submit: async (form) => {
      await api("POST", "shutdown", { servers: form.elements.servers.checked, proxy: form.elements.proxy.checked });
      say(t("The hub is shutting down."));
      return true;
    } });
}

export { each, field };
