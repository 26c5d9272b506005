// What makes logging quicker: the usual grade of a source, and the keys of an earlier report that tells the same story.
"use strict";

(() => {
  const form = document.getElementById("log-form");
  if (!form) return;
  const filled = new Map(); // what was filled in here, by field: it gives way, while what a person typed stays

  function field(name) { return form.elements.namedItem(name); }

  function fill(name, value) {
    const input = field(name);
    if (!input || (input.value !== "" && input.value !== filled.get(name))) return;
    input.value = value;
    filled.set(name, value);
  }

  // A grade that the study gives is shown and left out of the report; one that is only usual is filled in.
  function fillGrade() {
    const source = field("source");
    if (!source) return;
    const known = [...document.querySelectorAll("#sources option")].find((option) => option.value === source.value.trim());
    const grade = (known && known.dataset.grade) || "";
    const isStated = Boolean(known && "stated" in known.dataset);
    [["letter", grade[0]], ["digit", grade[1]]].forEach(([name, sign]) => {
      const none = field(name).options[0];
      const words = sign ? [...field(name).options].find((option) => option.value === sign).text : "";
      none.dataset.text ??= none.text;
      none.text = isStated ? `${words} (usual)` : none.dataset.text;
      fill(name, isStated ? "" : sign || "");
    });
  }

  // The sheet of an indicator that was typed comes after the cursor has left its field; it goes on in the sheet.
  let isChosen = false;
  function goOn() {
    const first = document.querySelector("#log-sheet input") || document.querySelector("#log-sheet a");
    if (isChosen && first && document.activeElement === document.body) first.focus();
    isChosen = false;
  }

  form.addEventListener("change", (event) => { if (event.target.id === "indicator") isChosen = true; }, true);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.id !== "indicator") return;
    event.preventDefault();
    event.target.blur();
  });
  form.addEventListener("input", (event) => {
    if (event.target.name === "source") fillGrade();
    if (event.target.name === "same") ["origin", "event"].forEach((name) => fill(name, event.target.dataset[name] || ""));
  }, true);
  document.addEventListener("htmx:after:swap", () => { fillGrade(); goOn(); });
  document.addEventListener("DOMContentLoaded", () => {
    fillGrade();
    // After one report comes the next; what the last one did stays in view.
    if (document.getElementById("saved")) field("indicator").focus({ preventScroll: true });
  });
})();
