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
  var chosen = theme === "dark" || theme === "light";
  if (!chosen) {
    theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  root.setAttribute("data-bs-theme", theme);
  // Who did not choose follows the system, also when it changes in the evening.
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function (e) {
    if (!chosen) root.setAttribute("data-bs-theme", e.matches ? "dark" : "light");
  });
})();
