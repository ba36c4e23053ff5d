// Small comforts for all pages. Everything works without them.
(function () {
  "use strict";
  var jht = window.jht;
  var jherror = window.jherror;
  var root = document.documentElement;

  function each(selector, f) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), f);
  }

  function showError(text) {
    var dialog = document.getElementById("error-dialog");
    if (!dialog || !dialog.showModal) {
      window.alert(text);
      return;
    }
    dialog.querySelector(".ajax-error").textContent = text;
    dialog.showModal();
  }

  // api calls the REST API and resolves to its answer; a refusal is shown and rejected.
  function api(method, url, body) {
    var options = {
      method: method,
      headers: { Accept: "application/jupyterhub-pagination+json, application/json", "X-XSRFToken": window.jhdata.xsrf_token },
      credentials: "same-origin",
    };
    if (body !== undefined && body !== null) {
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    return fetch(url, options).then(function (answer) {
      return answer.text().then(function (text) {
        var json = null;
        try {
          json = text ? JSON.parse(text) : null;
        } catch (e) {
          // not JSON: only the status counts
        }
        if (!answer.ok) {
          var why = (json && json.message) || answer.statusText || "HTTP " + answer.status;
          throw new Error(jherror(why) + (json && json.hint ? " (" + jherror(json.hint) + ")" : ""));
        }
        return json;
      });
    });
  }
  window.jhui = { api: api, showError: showError, each: each };

  var toggle = document.getElementById("dark-theme-toggle");
  if (toggle) {
    toggle.addEventListener("click", function () {
      var theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", theme);
      try {
        localStorage.setItem("jupyterhub-bs-theme", theme);
      } catch (e) {
        // not remembered
      }
    });
  }

  // Times: the page has them in UTC, people want to know how long ago.
  var steps = [
    [60, "second"],
    [60, "minute"],
    [24, "hour"],
    [30, "day"],
    [12, "month"],
    [Infinity, "year"],
  ];
  function relative(date) {
    var n = (date.getTime() - Date.now()) / 1000;
    if (Math.abs(n) < 5) return jht("just now");
    var format = new Intl.RelativeTimeFormat(root.lang || undefined, { numeric: "auto" });
    for (var i = 0; i < steps.length; i++) {
      if (Math.round(Math.abs(n)) < steps[i][0]) return format.format(Math.round(n), steps[i][1]);
      n /= steps[i][0];
    }
    return date.toLocaleString();
  }
  each("time[datetime]", function (el) {
    var date = new Date(el.getAttribute("datetime"));
    if (isNaN(date)) return;
    el.title = date.toLocaleString();
    el.textContent = relative(date);
  });

  var warning = document.getElementById("insecure-login-warning");
  if (warning && !window.isSecureContext) warning.classList.remove("hidden");

  each("[data-reveal]", function (button) {
    var input = document.getElementById(button.dataset.reveal);
    button.addEventListener("click", function () {
      var show = input.type === "password";
      input.type = show ? "text" : "password";
      button.textContent = show ? jht("Hide") : jht("Show");
      button.setAttribute("aria-label", show ? jht("Hide password") : jht("Show password"));
      button.setAttribute("aria-pressed", String(show));
      input.focus();
    });
  });

  each("[data-copy]", function (button) {
    button.addEventListener("click", function () {
      var field = document.getElementById(button.dataset.copy);
      field.select();
      var done = function () {
        button.textContent = jht("Copied");
      };
      if (navigator.clipboard) navigator.clipboard.writeText(field.value).then(done);
      else if (document.execCommand("copy")) done();
    });
  });

  each("[data-submit]", function (field) {
    field.addEventListener("change", function () {
      field.form.submit();
    });
  });

  // data-confirm asks first; data-once keeps a second click from sending a form again.
  document.addEventListener("submit", function (e) {
    var button = e.submitter;
    if (button && button.dataset.confirm && !window.confirm(button.dataset.confirm)) {
      e.preventDefault();
      return;
    }
    if (!e.target.hasAttribute("data-once")) return;
    if (e.target.dataset.sent) {
      e.preventDefault();
      return;
    }
    e.target.dataset.sent = "1";
    if (button) button.classList.add("busy");
  });
  window.addEventListener("pageshow", function () {
    each("form[data-sent]", function (form) {
      delete form.dataset.sent;
    });
    each(".busy", function (button) {
      button.classList.remove("busy");
    });
  });

  each("[data-refresh]", function (el) {
    setTimeout(function () {
      window.location.reload();
    }, 1000 * Number(el.dataset.refresh));
  });

  // Open menus close when the rest of the page is used.
  document.addEventListener("click", function (e) {
    each("details.dropdown[open]", function (menu) {
      if (!menu.contains(e.target)) menu.open = false;
    });
  });

  // A bookmark of an error page must not remember how often it was redirected.
  var here = new URL(window.location.href);
  if (document.querySelector(".error") && here.searchParams.has("redirects")) {
    here.searchParams.delete("redirects");
    window.history.replaceState({}, "", here);
  }
})();
