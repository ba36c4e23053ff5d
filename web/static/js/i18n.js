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
  function whole(text) {
    if (window.jhmessages[text]) return t(text);
    var all = patterns || known();
    for (var i = 0; i < all.length; i++) {
      var found = all[i].is.exec(text);
      if (!found) continue;
      return t(all[i].text, found.map(function (value) {
        return value.includes(" ") && value !== text ? window.jherror(value) : value;
      }));
    }
    return null;
  }
  // Reasons stand behind colons, several of them behind semicolons, each with as many of its colons as make a known text.
  window.jherror = function (text) {
    if (!text || !window.jhmessages) return text;
    return whole(text) || text.split("; ").map(function (one) {
      var reasons = one.split(": "), said = [];
      while (reasons.length) {
        var n = reasons.length, first = null;
        while (n > 0 && !(first = whole(reasons.slice(0, n).join(": ")))) n--;
        said.push(first || reasons[0]);
        reasons = reasons.slice(n || 1);
      }
      return said.join(": ");
    }).join("; ");
  };
  window.jht = t;
  window.jhn = function (one, many, n, values) {
    return t(n === 1 ? one : many, Object.assign({ num: n }, values));
  };
})();
