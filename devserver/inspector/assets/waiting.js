// Asks again until the service answers, and then shows it.
(function () {
  "use strict";
  function again() {
    fetch(document.getElementById("live").dataset.poll, { headers: { Accept: "text/html" } }).then(function (answer) {
      if (answer.status !== 503) {
        location.reload();
        return;
      }
      return answer.text().then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
        var live = document.getElementById("live");
        if (fresh && fresh.textContent !== live.textContent) live.replaceChildren.apply(live, Array.prototype.slice.call(fresh.childNodes));
        setTimeout(again, 700);
      });
    }).catch(function () { setTimeout(again, 1500); });
  }
  setTimeout(again, 700);
})();
