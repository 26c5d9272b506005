// Helps for the study's forms, which work without: sums as one types, line numbers, and the cursor at a fault.
"use strict";

(() => {
  function summed(row) {
    const said = row.querySelector("output");
    const cells = [...row.querySelectorAll("input")].map((input) => input.value.trim());
    const numbers = cells.map(Number);
    const isWhole = cells.every((text) => text !== "") && numbers.every(Number.isFinite);
    const sum = numbers.reduce((a, b) => a + b, 0);
    said.textContent = isWhole ? String(Number(sum.toPrecision(6))) : "";
    said.classList.toggle("off", isWhole && Math.abs(sum - 1) > 1e-6);
  }

  function numbered(area) {
    const box = area.parentElement;
    const gutter = document.createElement("pre");
    gutter.className = "gutter code";
    gutter.setAttribute("aria-hidden", "true");
    box.prepend(gutter);
    box.classList.add("has-lines");
    let shown = 0;
    function fit() {
      const lines = area.value.split("\n").length;
      if (lines !== shown) {
        shown = lines;
        gutter.textContent = Array.from({ length: lines }, (_, n) => n + 1).join("\n");
      }
      gutter.style.height = `${area.clientHeight}px`;
      gutter.scrollTop = area.scrollTop;
    }
    area.addEventListener("input", fit);
    area.addEventListener("scroll", fit);
    new ResizeObserver(fit).observe(area);
    fit();
  }

  function goTo(area, line, column) {
    const lines = area.value.split("\n");
    const at = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    // Columns count characters, a text field counts units of sixteen bits.
    const begin = at + [...(lines[line - 1] || "")].slice(0, Math.max(column - 1, 0)).join("").length;
    const end = at + (lines[line - 1] || "").length;
    area.focus();
    area.setSelectionRange(begin, Math.max(begin, end));
    const height = parseFloat(getComputedStyle(area).lineHeight) || 20;
    area.scrollTop = Math.max(0, (line - 6) * height);
    area.scrollIntoView({ block: "center" });
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const row of document.querySelectorAll("tr[data-sum]")) {
      row.addEventListener("input", () => summed(row));
      summed(row);
    }
    for (const area of document.querySelectorAll("textarea[data-lines]")) numbered(area);
    const area = document.getElementById("text");
    for (const link of document.querySelectorAll("a[data-line]")) {
      link.addEventListener("click", (event) => {
        if (!area || link.dataset.line === "0") return;
        event.preventDefault();
        goTo(area, Number(link.dataset.line), Number(link.dataset.column));
      });
    }
  });
})();
