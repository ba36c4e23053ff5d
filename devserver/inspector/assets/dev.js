// Follows what happens, and copies command lines. The pages work without it.
(function () {
  "use strict";
  var base = location.pathname.replace(/\/hub\/dev(\/.*)?$/, "/hub/dev");
  var badge = document.getElementById("dev-live");
  var live = document.getElementById("live");

  function state(kind, text) {
    if (!badge) return;
    badge.className = "dev-live status status-" + kind;
    badge.querySelector(".dot").className = "dot dot-" + kind;
    badge.querySelector(".dev-live-text").textContent = text;
  }

  document.addEventListener("click", function (e) {
    var button = e.target.closest("[data-copy]");
    if (!button) return;
    var text = button.parentElement.querySelector("pre").textContent;
    navigator.clipboard.writeText(text).then(
      function () { button.textContent = "Copied"; setTimeout(function () { button.textContent = "Copy"; }, 1500); },
      function () { getSelection().selectAllChildren(button.parentElement.querySelector("pre")); }
    );
  });

  if (!live || !window.EventSource) {
    if (badge) badge.hidden = true;
    return;
  }

  // Somebody who types, selects or chooses in the part that follows must not lose it.
  function busy() {
    var selection = getSelection();
    return live.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")
      || selection && !selection.isCollapsed && live.contains(selection.anchorNode);
  }

  var wanted = false, running = false;
  function refresh() {
    if (running || busy()) { wanted = true; return; }
    running = true;
    wanted = false;
    fetch(location.href, { headers: { Accept: "text/html" } }).then(function (answer) { return answer.text(); }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
      if (!fresh || busy()) return;
      var opened = Array.prototype.map.call(live.querySelectorAll("details[open][id]"), function (d) { return d.id; });
      live.replaceChildren.apply(live, Array.prototype.slice.call(fresh.childNodes));
      opened.forEach(function (id) {
        var d = document.getElementById(id);
        if (d) d.open = true;
      });
    }).catch(function () { wanted = true; }).then(function () { running = false; });
  }
  setInterval(function () { if (wanted) refresh(); }, 1000);

  var timer = null;
  var events = new EventSource(base + "/events");
  events.onopen = function () { state("on", "live"); };
  events.onerror = function () { state("wait", "the hub does not answer"); };
  events.addEventListener("changed", function () {
    if (timer) return;
    timer = setTimeout(function () { timer = null; refresh(); }, 250);
  });
})();
