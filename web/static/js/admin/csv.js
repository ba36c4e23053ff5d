// CSV as spreadsheets write it: quoted fields, any of , ; tab between them, with or without a line of column names.
import { t } from "./dom.js";

function split(text) {
  text = text.replace(/^\uFEFF/, "");
  const first = text.split(/\r?\n/, 1)[0];
  const comma = [",", ";", "\t"].sort((a, b) => first.split(b).length - first.split(a).length)[0];
  const lines = [];
  let line = [], value = "", quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') value += c;
      else if (text[i + 1] === '"') value += text[++i];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === comma || c === "\n") {
      line.push(value.trim());
      value = "";
      if (c === "\n") {
        lines.push(line);
        line = [];
      }
    } else if (c !== "\r") value += c;
  }
  line.push(value.trim());
  lines.push(line);
  return lines;
}

const yes = ["1", "true", "yes", "y", "x", "admin", "ja", "wahr"];
const no = ["", "0", "false", "no", "n", "nein", "falsch"];

// parseCSV returns the users of a file, and what is wrong with lines that are left out.
export function parseCSV(text) {
  const lines = split(text).map((cells, i) => ({ cells, number: i + 1 })).filter((line) => line.cells.some(Boolean));
  const rows = [], problems = [], seen = new Set();
  const head = lines.length ? lines[0].cells.map((c) => c.toLowerCase()) : [];
  let column = { name: 0, admin: 1, groups: 2 };
  if (head.some((c) => ["name", "username", "user"].includes(c))) {
    lines.shift();
    column = { name: head.findIndex((c) => ["name", "username", "user"].includes(c)), admin: head.indexOf("admin"), groups: head.findIndex((c) => c === "groups" || c === "group") };
  }
  for (const { cells, number } of lines) {
    const name = cells[column.name] || "";
    const admin = (cells[column.admin] || "").toLowerCase();
    if (!name) problems.push(t("Line %(line)s has no name.", { line: number }));
    else if (seen.has(name)) problems.push(t("Line %(line)s names %(name)s again.", { line: number, name }));
    else if (!yes.includes(admin) && !no.includes(admin)) problems.push(t("Line %(line)s: admin must be yes or no, not “%(value)s”.", { line: number, value: admin }));
    else {
      seen.add(name);
      rows.push({ name, admin: yes.includes(admin), groups: (cells[column.groups] || "").split(/[;,|]/).map((g) => g.trim()).filter(Boolean) });
    }
  }
  return { rows, problems };
}
