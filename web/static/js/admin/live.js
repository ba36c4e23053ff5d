// Live state: one event stream that names users who changed, asked for again through the API. Without it, the table is asked for now and then.
import { t } from "./dom.js";
import { isShown, load, refresh } from "./users.js";

const often = 10000;
let timer = null;
let later = null;

function note(text) {
  const place = document.getElementById("admin-live");
  if (place) place.textContent = text;
}

// soon loads the table once for many changes; not while somebody marks text or a dialog is open.
function soon() {
  if (later) return;
  later = setTimeout(() => {
    later = null;
    if (document.querySelector("dialog[open]")) return soon();
    return load();
  }, 1500);
}

function poll() {
  note(t("Updated every %(num)s seconds", { num: often / 1000 }));
  if (!timer) timer = setInterval(soon, often);
}

function follow() {
  let failures = 0;
  const source = new EventSource(window.jhdata.base_url + "admin/events");
  source.onopen = () => {
    if (failures) soon(); // something may have happened meanwhile
    failures = 0;
    clearInterval(timer);
    timer = null;
    note(t("Live"));
  };
  source.onmessage = (e) => {
    const event = JSON.parse(e.data);
    const shown = event.users.filter(isShown);
    if (event.all || shown.length > 10 || shown.length < event.users.length) soon();
    if (!event.all && shown.length <= 10) shown.forEach(refresh);
  };
  source.onerror = () => {
    failures += 1;
    if (source.readyState !== EventSource.CLOSED && failures < 3) return; // the browser tries again
    source.close();
    poll();
    setTimeout(follow, 60000);
  };
  addEventListener("pagehide", () => source.close());
}

export function watch() {
  if (window.EventSource) follow();
  else poll();
}
