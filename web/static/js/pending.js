// Shows the progress of a starting server, and goes on when it is ready.
(function () {
  "use strict";
  var page = document.getElementById("spawn-pending");
  if (!page) return;
  var bar = document.getElementById("progress-bar");
  var message = document.getElementById("progress-message");
  var log = document.getElementById("progress-log");
  var details = document.getElementById("progress-details");
  var source = new EventSource(page.dataset.progressUrl);
  var failures = 0;
  var begin = Date.now();

  // What people ask while they wait: is it still alive, and is that normal?
  var slowAfter = 60;
  setInterval(function () {
    var seconds = Math.round((Date.now() - begin) / 1000);
    var spent = seconds < 60 ? seconds + " s" : Math.floor(seconds / 60) + " min " + (seconds % 60) + " s";
    document.getElementById("progress-time").textContent = window.jht("Waiting for %(time)s", { time: spent });
    if (seconds >= slowAfter) document.getElementById("progress-slow").classList.remove("hidden");
  }, 1000);

  // Who stops the server goes where the form leads: a reload because the start has failed would come before the answer.
  page.addEventListener("submit", function () {
    source.close();
  });

  function show(event) {
    if (event.progress !== undefined) {
      bar.value = event.progress;
      document.getElementById("sr-progress").textContent = event.progress + "%";
    }
    var line = document.createElement("div");
    line.className = "progress-log-event";
    if (event.html_message !== undefined) {
      // HTML by contract: it comes from the hub and its spawner.
      message.innerHTML = event.html_message;
      line.innerHTML = event.html_message;
    } else if (event.message !== undefined) {
      message.textContent = line.textContent = window.jherror(event.message);
    }
    if (line.textContent) log.appendChild(line);
  }

  source.onmessage = function (e) {
    failures = 0;
    var event = JSON.parse(e.data);
    show(event);
    if (event.ready || event.failed) {
      source.close();
      if (event.failed) {
        bar.classList.add("failed");
        details.open = true;
      }
      // The page itself knows what comes next: the server, or why there is none.
      window.location.reload();
    }
  };
  source.onerror = function () {
    failures += 1;
    if (source.readyState === EventSource.CLOSED || failures > 3) {
      source.close();
      setTimeout(function () {
        window.location.reload();
      }, 2000);
    }
  };
  window._jupyterhub_page_loaded = true;
})();
