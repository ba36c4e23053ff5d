// The buttons of the admin page: they call the REST API and then show the page again.
(function () {
  "use strict";
  var ui = window.jhui;
  var page = document.getElementById("admin");
  if (!ui || !page) return;

  function words(text) {
    return text.split(/[\s,]+/).filter(Boolean);
  }
  function reload() {
    window.location.reload();
  }
  function failed(error) {
    ui.each(".busy", function (el) {
      el.classList.remove("busy");
    });
    ui.showError(error.message);
  }
  function call(button, method, url, body) {
    button.classList.add("busy");
    return ui.api(method, url, body).then(reload, failed);
  }

  document.addEventListener("click", function (e) {
    var button = e.target.closest("button");
    if (!button) return;
    if (button.hasAttribute("data-close")) {
      button.closest("dialog").close();
    } else if (button.dataset.method) {
      if (button.dataset.confirm && !window.confirm(button.dataset.confirm)) return;
      var body = button.dataset.body ? JSON.parse(button.dataset.body) : undefined;
      if (button.dataset.users) body = { users: [button.dataset.users] };
      call(button, button.dataset.method, button.dataset.url, body);
    } else if (button.dataset.dialog) {
      open(button);
    } else if (button.id === "stop-all-servers") {
      if (window.confirm(button.dataset.confirm)) stopAll(button);
    }
  });

  function open(button) {
    var dialog = document.getElementById(button.dataset.dialog);
    if (button.dataset.name !== undefined) {
      var form = dialog.querySelector("form");
      form.dataset.url = button.dataset.url;
      form.dataset.was = button.dataset.name;
      form.elements.name.value = button.dataset.name;
      form.elements.admin.checked = Boolean(button.dataset.admin);
      form.dataset.wasAdmin = button.dataset.admin;
      dialog.querySelector("[data-method]").dataset.url = button.dataset.url;
    }
    dialog.showModal();
  }

  // stopAll asks for all active users, page by page, and stops each of their servers.
  function stopAll(button) {
    button.classList.add("busy");
    var servers = [];
    function collect(offset) {
      return ui.api("GET", page.dataset.api + "users?state=active&limit=50&offset=" + offset).then(function (answer) {
        answer.items.forEach(function (user) {
          Object.keys(user.servers || {}).forEach(function (name) {
            servers.push("users/" + encodeURIComponent(user.name) + (name ? "/servers/" + encodeURIComponent(name) : "/server"));
          });
        });
        var next = answer._pagination.next;
        return next ? collect(next.offset) : null;
      });
    }
    collect(0)
      .then(function () {
        return Promise.all(
          servers.map(function (path) {
            return ui.api("DELETE", page.dataset.api + path);
          }),
        );
      })
      .then(reload, failed);
  }

  document.addEventListener("submit", function (e) {
    var form = e.target;
    var method = form.dataset.apiForm;
    if (!method) return;
    e.preventDefault();
    var field = form.elements;
    var url = form.dataset.url;
    var body = {};
    try {
      if (field.group) {
        url = form.dataset.urlPrefix + encodeURIComponent(field.group.value.trim());
        body = undefined;
      } else if (field.usernames) {
        body = { usernames: words(field.usernames.value), admin: field.admin.checked };
      } else if (field.users) {
        body = { users: words(field.users.value) };
      } else if (field.json) {
        body = JSON.parse(field.json.value || "{}");
      } else if (field.servers) {
        body = { servers: field.servers.checked, proxy: field.proxy.checked };
      } else if (field.name) {
        if (field.name.value !== form.dataset.was) body.name = field.name.value;
        if (field.admin.checked !== Boolean(form.dataset.wasAdmin)) body.admin = field.admin.checked;
      }
    } catch (error) {
      failed(error);
      return;
    }
    var dialog = form.closest("dialog");
    if (dialog) dialog.close();
    call(e.submitter || form, method, url, body);
  });
})();
