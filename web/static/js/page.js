// Runs before the page is shown: what scripts and templates know as window.jhdata, and the chosen theme.
(function () {
  "use strict";
  var data = document.getElementById("jhdata");
  window.jhdata = data ? JSON.parse(data.textContent) : {};
  var root = document.documentElement;
  root.classList.add("js");
  var theme = null;
  try {
    theme = localStorage.getItem("jupyterhub-bs-theme");
  } catch (e) {
    // storage is forbidden: the system's theme
  }
  if (theme !== "dark" && theme !== "light") {
    theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  root.setAttribute("data-bs-theme", theme);
})();
