"use strict";
// The API explorer: shows openapi.json by chapter and sends requests. It needs nothing but this hub.

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
const apiURL = meta("hub-api");
let description;

// el makes an element; attributes that are functions become listeners.
function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") e.addEventListener(name, value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== undefined && value !== false && value !== null) e.setAttribute(name, value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

const resolve = (schema) => (schema && schema.$ref ? description.components.schemas[schema.$ref.split("/").pop()] : schema) || {};
const nameOf = (schema) => (schema && schema.$ref ? schema.$ref.split("/").pop() : "");

// typeOf says in a few words what a schema is.
function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return nameOf(schema);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.oneOf) return schema.oneOf.map(typeOf).join(" or ");
  const types = [].concat(schema.type || "anything");
  let words = types.map((t) => (t === "array" ? `list of ${typeOf(schema.items) || "anything"}` : t)).join(" or ");
  if (schema.additionalProperties && Object.keys(schema.additionalProperties).length) words += ` of ${typeOf(schema.additionalProperties)}`;
  if (schema.format) words += ` (${schema.format})`;
  if (schema.enum) words += ": " + schema.enum.map((v) => JSON.stringify(v)).join(", ");
  return words;
}

// parts are the schemas worth showing under a schema.
function parts(schema) {
  schema = schema.$ref ? resolve(schema) : schema;
  if (schema.properties) return [schema];
  const inside = [].concat(schema.oneOf || [], schema.anyOf || [], schema.items || []);
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") inside.push(schema.additionalProperties);
  return inside.flatMap(parts);
}

// properties shows the properties of an object; those that are objects themselves unfold on demand.
function properties(schema, depth) {
  const box = el("div", { class: "schema" });
  for (const part of parts(schema)) {
    const table = el("table", {});
    for (const [name, p] of Object.entries(part.properties)) {
      const inner = parts(p);
      const unfold = el("div", {});
      const more = inner.length && depth < 6 ? el("details", { toggle: (e) => { if (e.target.open && !unfold.firstChild) unfold.append(properties(p, depth + 1)); } }, el("summary", {}, "its keys"), unfold) : null;
      table.append(el("tr", {},
        el("th", { scope: "row" }, el("code", {}, name), (part.required || []).includes(name) ? " *" : ""),
        el("td", {}, el("span", { class: "type" }, typeOf(p)), el("div", {}, p.description || ""), more)));
    }
    box.append(table);
  }
  return box;
}

// example is a body to begin with.
function example(schema) {
  const s = resolve(schema);
  const value = (p) => {
    p = resolve(p);
    const type = [].concat(p.type || "")[0];
    if (p.enum) return p.enum[0];
    return { string: "", boolean: false, integer: p.minimum || 0, number: 0, array: [], object: {} }[type] ?? null;
  };
  const names = s.required && s.required.length ? s.required : [];
  return JSON.stringify(Object.fromEntries(names.map((n) => [n, value(s.properties[n])])), null, 2);
}

// scopesOf are the scopes of which one is enough.
function scopesOf(operation) {
  return [...new Set((operation.security || []).flatMap((s) => Object.values(s).flat()))];
}

function shellQuote(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}

// tryOut is the form that sends a request.
function tryOut(path, method, operation) {
  const inputs = [];
  const table = el("table", {});
  for (const p of operation.parameters || []) {
    const choices = p.schema.enum;
    const input = choices ? el("select", {}, el("option", { value: "" }, ""), ...choices.map((c) => el("option", {}, c))) : el("input", { type: "text" });
    const id = `${operation.operationId}-${p.name}`;
    input.id = id;
    inputs.push([p, input]);
    table.append(el("tr", {}, el("th", { scope: "row" }, el("label", { for: id }, el("code", {}, p.name), p.required ? " *" : "")),
      el("td", {}, input), el("td", {}, el("span", { class: "type" }, `${p.in}, ${choices ? "one word" : typeOf(p.schema)}`), el("div", {}, p.description || ""))));
  }
  const media = operation.requestBody ? Object.keys(operation.requestBody.content)[0] : "";
  const body = media ? el("textarea", { "aria-label": "Body", spellcheck: "false" }) : null;
  if (body) body.value = media === "application/json" ? example(operation.requestBody.content[media].schema) : "";
  const curl = el("pre", { class: "curl", tabindex: "0" });
  const result = el("div", { class: "result", role: "status" });

  const address = () => {
    let url = path;
    const query = new URLSearchParams();
    for (const [p, input] of inputs) {
      if (p.in === "path") url = url.replace(`{${p.name}}`, encodeURIComponent(input.value));
      else if (input.value !== "") query.set(p.name, input.value);
    }
    return apiURL + url + (query.size ? "?" + query : "");
  };
  const showCurl = () => {
    const words = ["curl", "-X", method.toUpperCase(), "-H", '"Authorization: token $TOKEN"'];
    if (body && body.value.trim()) words.push("-H", shellQuote("Content-Type: " + media), "--data", shellQuote(body.value));
    words.push(shellQuote(new URL(address(), location.href).href));
    curl.textContent = words.join(" ");
  };
  const send = async () => {
    result.replaceChildren("...");
    const headers = { Accept: "application/json" };
    const token = document.getElementById("token").value.trim();
    if (token) headers.Authorization = "token " + token;
    else headers["X-XSRFToken"] = meta("xsrf-token");
    const options = { method: method.toUpperCase(), headers, credentials: token ? "omit" : "same-origin", redirect: "manual" };
    if (body && body.value.trim()) {
      headers["Content-Type"] = media;
      options.body = body.value;
    }
    try {
      const answer = await fetch(address(), options);
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
      const status = answer.type === "opaqueredirect" ? "redirected" : `${answer.status} ${answer.statusText}`;
      result.replaceChildren(el("p", { class: answer.ok ? "good" : "wrong" }, el("strong", { class: "status" }, status), " ", answer.headers.get("Content-Type") || ""), el("pre", { class: "answer", tabindex: "0" }, shown));
    } catch (problem) {
      result.replaceChildren(el("p", { class: "wrong" }, "No answer: " + problem.message));
    }
  };
  const form = el("form", { submit: (e) => { e.preventDefault(); send(); }, input: showCurl }, table,
    body ? el("h3", {}, `Body (${media})`) : null, body,
    el("div", { class: "row" }, el("button", { class: "send", type: "submit" }, "Send"),
      el("button", { type: "button", click: () => navigator.clipboard.writeText(curl.textContent) }, "Copy as curl")),
    curl, result);
  showCurl();
  return form;
}

function responses(operation) {
  const table = el("table", {});
  for (const [status, r] of Object.entries(operation.responses)) {
    const [media, content] = Object.entries(r.content || {})[0] || [];
    const unfold = el("div", {});
    const more = content && parts(content.schema).length ? el("details", { toggle: (e) => { if (e.target.open && !unfold.firstChild) unfold.append(properties(content.schema, 0)); } },
      el("summary", {}, el("span", { class: "type" }, typeOf(content.schema))), unfold) : el("span", { class: "type" }, media || "no body");
    table.append(el("tr", {}, el("th", { scope: "row" }, status), el("td", {}, r.description, more)));
  }
  return table;
}

function fill(box, path, method, operation) {
  const paragraphs = (operation.description || "").split("\n\n").filter((t) => t);
  box.append(...paragraphs.map((t) => el("p", {}, t.replaceAll("`", ""))));
  const schema = operation.requestBody && Object.values(operation.requestBody.content)[0].schema;
  box.append(el("h3", {}, "Try it"), tryOut(path, method, operation));
  if (schema && parts(schema).length) box.append(el("h3", {}, "Keys of the body"), properties(schema, 0));
  box.append(el("h3", {}, "Answers"), responses(operation));
}

function card(path, method, operation) {
  const box = el("div", {});
  const scopes = scopesOf(operation);
  const details = el("details", { class: "operation" + (operation.deprecated ? " deprecated" : ""), id: operation.operationId, toggle: () => { if (details.open && !box.firstChild) fill(box, path, method, operation); } },
    el("summary", {}, el("span", { class: "method" }, method.toUpperCase()), el("span", { class: "path" }, path), el("span", {}, operation.summary),
      el("span", { class: "scopes" }, ...scopes.map((s) => el("span", { class: "scope" }, s)))), box);
  details.dataset.words = [method, path, operation.summary, ...scopes].join(" ").toLowerCase();
  return details;
}

function show() {
  const main = document.getElementById("operations");
  main.replaceChildren();
  for (const tag of description.tags) {
    const section = el("section", {}, el("h2", {}, tag.name), el("p", {}, (tag.description || "").replaceAll("`", "")));
    for (const [path, item] of Object.entries(description.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        if (operation.tags[0] === tag.name) section.append(card(path, method, operation));
      }
    }
    main.append(section);
  }
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  if (wanted) { wanted.open = true; wanted.scrollIntoView(); }
}

function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter((w) => w);
  for (const section of document.querySelectorAll("#operations section")) {
    let any = false;
    for (const operation of section.querySelectorAll(".operation")) {
      operation.hidden = !words.every((w) => operation.dataset.words.includes(w));
      any = any || !operation.hidden;
    }
    section.hidden = !any;
  }
}

document.getElementById("settings").addEventListener("submit", (e) => e.preventDefault());
document.getElementById("find").addEventListener("input", (e) => find(e.target.value));
fetch(apiURL + "/openapi.json", { credentials: "omit" })
  .then((answer) => answer.json())
  .then((d) => { description = d; show(); })
  .catch((problem) => { document.getElementById("operations").textContent = "The description could not be loaded: " + problem.message; });
