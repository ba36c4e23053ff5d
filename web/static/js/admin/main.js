// The admin page: which part is shown is in its address, so that links, reload and the back button work.
import { busy, facts } from "./dom.js";
import { shutdown } from "./dialogs.js";
import * as groups from "./groups.js";
import * as services from "./services.js";
import * as users from "./users.js";
import { watch } from "./live.js";

const panel = document.getElementById("admin-panel");
const stop = document.getElementById("stop-all-servers");
const down = document.getElementById("shutdown-button");
if (stop) stop.addEventListener("click", () => users.stopAll(stop));
if (down) down.addEventListener("click", () => busy(down, shutdown));

if (facts.may_list) {
  const part = { groups, services }[facts.tab] || users;
  part.build(panel).then(() => {
    panel.dataset.ready = "1";
    performance.mark("admin-ready");
    if (part === users) watch();
  });
}
