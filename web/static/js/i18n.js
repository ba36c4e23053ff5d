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
  // jherror(text) translates what the hub says in an answer of the API or in an event. The texts have %(1)s, %(2)s … for what was filled in.
  var patterns = null;
  function known() {
    patterns = Object.keys(window.jhmessages).filter(function (text) {
      return text.includes("%(1)s");
    }).map(function (text) {
      var fixed = text.split(/%\(\d+\)s/);
      var quoted = fixed.map(function (part) {
        return part.replace(/%%/g, "%").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      });
      return { text: text, weight: fixed.join("").length, is: new RegExp("^" + quoted.join("([^]+?)") + "$") };
    }).sort(function (a, b) {
      return b.weight - a.weight;
    });
    return patterns;
  }
  window.jherror = function translate(text) {
    if (!text || !window.jhmessages) return text;
    if (window.jhmessages[text]) return t(text);
    var all = patterns || known();
    for (var i = 0; i < all.length; i++) {
      var found = all[i].is.exec(text);
      if (!found) continue;
      return t(all[i].text, found.map(function (value) {
        return value.includes(" ") && value !== text ? translate(value) : value;
      }));
    }
    for (var at = text.indexOf(": "); at >= 0; at = text.indexOf(": ", at + 1)) {
      var what = translate(text.slice(0, at));
      if (what !== text.slice(0, at)) return what + ": " + translate(text.slice(at + 2));
    }
    return text;
  };
  window.jht = t;
  window.jhn = function (one, many, n, values) {
    return t(n === 1 ? one : many, Object.assign({ num: n }, values));
  };
})();
