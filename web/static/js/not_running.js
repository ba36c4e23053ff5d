// The fragment of an address never reaches the hub: it is carried over here. With implicit_spawn_seconds the server starts by itself.
(function () {
  "use strict";
  var start = document.getElementById("start");
  if (!start) return;
  if (window.location.hash) {
    var target = new URL(start.href);
    var next = target.searchParams.get("next");
    if (next) {
      target.searchParams.set("next", next + window.location.hash);
      start.href = target.href;
    } else {
      start.href += window.location.hash;
    }
  }
  var seconds = Number(start.dataset.implicitSpawn);
  if (seconds > 0) {
    setTimeout(function () {
      window.location = start.href;
    }, 1000 * seconds);
  }
})();
