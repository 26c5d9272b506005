// Small helps on top of pages that work without them: keys for the tabs, and the first mistake in view.
"use strict";

(() => {
  const KEYS = { b: "board", l: "log", e: "evidence", y: "why", w: "watch", s: "study", r: "reports", c: "record", t: "team" };
  let waiting = false;

  function isTyping(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (waiting) {
      waiting = false;
      const tab = document.querySelector(`.tabs a[data-key="${KEYS[event.key] || ""}"]`);
      if (tab) { event.preventDefault(); tab.click(); }
      return;
    }
    if (event.key === "g") { waiting = true; window.setTimeout(() => { waiting = false; }, 1500); }
    if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    const refused = document.getElementById("refused");
    if (refused) refused.focus();
  });
})();
