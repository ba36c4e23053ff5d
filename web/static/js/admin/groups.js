// Groups: members and properties.
import { api, busy, button, can, fail, h, n, number, quoted, say, t, words } from "./dom.js";
import { sure } from "./dialogs.js";

const limit = 50;
let offset = 0;
let place;
const opened = new Set();

export function build(panel) {
  place = h("div", { class: "stack" });
  if (can("admin:groups")) {
    const name = h("input", { class: "form-control", name: "group", required: true, maxlength: 255, placeholder: t("Name of a new group"), "aria-label": t("Name of a new group") });
    const form = h("form", { class: "toolbar" }, name, h("button", { class: "btn btn-primary" }, t("Add group")));
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      await busy(e.submitter, async () => {
        await api("POST", "groups/" + quoted(name.value.trim()));
        say(t("The group %(name)s is added.", { name: name.value.trim() }));
        opened.add(name.value.trim());
        name.value = "";
        await load();
      });
    });
    panel.append(form);
  }
  panel.append(place);
  return load();
}

async function load() {
  try {
    const answer = await api("GET", "groups?offset=" + offset + "&limit=" + limit);
    const total = answer._pagination.total;
    const step = (text, to, ok) => button(text, () => {
      offset = to;
      load();
    }, { disabled: !ok });
    place.replaceChildren(
      h("p", { class: "muted", role: "status" }, n("%(count)s group", "%(count)s groups", total, { count: number(total) })),
      ...answer.items.map(card),
      total > limit ? h("nav", { class: "pagination", "aria-label": t("Pages") }, step(t("Previous"), Math.max(0, offset - limit), offset > 0),
        h("span", { class: "muted" }, t("%(first)s–%(last)s of %(total)s", { first: offset + 1, last: offset + answer.items.length, total })), step(t("Next"), offset + limit, offset + limit < total)) : "",
      answer.items.length ? "" : h("p", { class: "empty" }, t("There are no groups yet.")));
  } catch (error) {
    fail(error);
  }
}

function card(group) {
  const path = "groups/" + quoted(group.name);
  const users = group.users || [];
  const editable = can("groups", { group: group.name });
  const members = h("div", { class: "members" }, users.length ? users.map((name) => h("span", { class: "badge badge-button" }, name, " ", editable ? h("button", { type: "button", class: "badge-x", "aria-label": t("Remove %(name)s from %(group)s", { name, group: group.name }), onclick: (e) => removeMember(e.currentTarget, group, name) }, "×") : null)) : h("span", { class: "muted" }, t("No members")));
  const details = h("details", { class: "card group", "data-group": group.name, open: opened.has(group.name) },
    h("summary", {}, h("span", { class: "wrap group-name" }, group.name), " ", h("span", { class: "badge" }, n("%(num)s member", "%(num)s members", users.length))),
    h("h3", {}, t("Members")), members, editable ? adder(group, path) : null, "properties" in group ? properties(group, path, editable) : null,
    can("delete:groups", { group: group.name }) ? h("p", { class: "actions" }, button(t("Delete group"), (e) => remove(e.currentTarget, group, path), { class: "btn btn-sm btn-outline-danger" })) : null);
  details.addEventListener("toggle", () => (details.open ? opened.add(group.name) : opened.delete(group.name)));
  return details;
}

function adder(group, path) {
  const names = h("input", { class: "form-control", name: "users", required: true, placeholder: t("Names, separated by spaces"), "aria-label": t("Members to add to %(name)s", { name: group.name }) });
  const form = h("form", { class: "toolbar" }, names, h("button", { class: "btn" }, t("Add members")));
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    await busy(e.submitter, async () => {
      await api("POST", path + "/users", { users: words(names.value) });
      say(t("Added to %(name)s.", { name: group.name }));
      await load();
      const again = place.querySelector(`[data-group="${CSS.escape(group.name)}"] input[name=users]`);
      if (again) again.focus();
    });
  });
  return form;
}

// removeMember needs no question, since it can be undone.
async function removeMember(el, group, name) {
  const path = "groups/" + quoted(group.name) + "/users";
  await busy(el, async () => {
    await api("DELETE", path, { users: [name] });
    say(t("%(name)s is no longer in %(group)s.", { name, group: group.name }), () => busy(null, async () => {
      await api("POST", path, { users: [name] });
      await load();
    }));
    await load();
    const card = place.querySelector(`[data-group="${CSS.escape(group.name)}"] summary`);
    if (card) card.focus();
  });
}

function properties(group, path, editable) {
  const text = JSON.stringify(group.properties || {}, null, 2);
  const area = h("textarea", { class: "form-control mono", rows: Math.min(12, text.split("\n").length + 1), spellcheck: "false", value: text, readonly: !editable, "aria-label": t("Properties of %(name)s as JSON", { name: group.name }) });
  const form = h("form", {}, h("h3", {}, t("Properties")), area, editable ? h("p", { class: "actions actions-start" }, h("button", { class: "btn btn-sm" }, t("Save properties"))) : null);
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    await busy(e.submitter, async () => {
      let body;
      try {
        body = JSON.parse(area.value || "{}");
      } catch (error) {
        throw new Error(t("The properties of %(name)s are not JSON: %(why)s", { name: group.name, why: error.message }));
      }
      await api("PUT", path + "/properties", body);
      area.removeAttribute("aria-invalid");
      say(t("The properties of %(name)s are saved.", { name: group.name }));
    });
  });
  return form;
}

async function remove(el, group, path) {
  if (!(await sure(t("Delete group?"), t("The group “%(name)s” is deleted with its properties and shares. Its members stay.", { name: group.name }), t("Delete")))) return;
  await busy(el, async () => {
    await api("DELETE", path);
    say(t("The group %(name)s is deleted.", { name: group.name }));
    await load();
  });
}
