// Services, as they are configured.
import { api, fail, h, t } from "./dom.js";

export async function build(panel) {
  try {
    const services = Object.values(await api("GET", "services")).sort((a, b) => a.name.localeCompare(b.name));
    if (!services.length) return panel.append(h("p", { class: "empty" }, t("There are no services.")));
    panel.append(h("div", { class: "table-wrap" }, h("table", { class: "table table-cards" },
      h("thead", {}, h("tr", {}, [t("Service"), t("Address"), t("Kind"), t("Roles")].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, services.map((s) => h("tr", {},
        h("td", { "data-label": t("Service") }, h("strong", { class: "wrap" }, s.name), s.admin ? h("span", { class: "badge badge-accent" }, t("admin")) : null),
        h("td", { "data-label": t("Address") }, s.prefix ? h("a", { href: s.prefix }, s.prefix) : h("span", { class: "muted" }, t("none"))),
        h("td", { "data-label": t("Kind") }, s.command && s.command.length ? t("run by the hub") : t("runs elsewhere"), s.pid ? h("span", { class: "muted" }, " · pid " + s.pid) : null),
        h("td", { "data-label": t("Roles") }, (s.roles || []).join(", "))))))));
  } catch (error) {
    fail(error);
  }
  return undefined;
}
