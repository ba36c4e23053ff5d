// jht("Delete %(name)s?", {name: "x"}) is the text in the language of the page; jhn("%(num)s user", "%(num)s users", n) counts.
// Other languages' texts come before this file as window.jhmessages. The result is plain text, never HTML.
(function () {
  "use strict";
  function t(text, values) {
    var found = (window.jhmessages && window.jhmessages[text]) || text;
    return found.replace(/%\((\w+)\)[sd]|%%/g, function (whole, name) {
      if (whole === "%%") return "%";
      return values && name in values ? String(values[name]) : whole;
    });
  }
  window.jht = t;
  window.jhn = function (one, many, n, values) {
    return t(n === 1 ? one : many, Object.assign({ num: n }, values));
  };
})();
