// What makes logging quicker: the usual grade of a source, and the keys of an earlier report that tells the same story.
"use strict";

(() => {
  const form = document.getElementById("log-form");
  if (!form) return;
  const UNSET = "the source’s usual one";

  function field(name) { return form.elements.namedItem(name); }

  // A grade that the study gives is shown and left out of the report; one that is only usual is filled in.
  function fillGrade() {
    const source = field("source"), letter = field("letter"), digit = field("digit");
    if (!source || !letter || !digit) return;
    const known = [...document.querySelectorAll("#sources option")].find((option) => option.value === source.value.trim());
    const grade = (known && known.dataset.grade) || "";
    const isStated = Boolean(known && "stated" in known.dataset);
    [[letter, grade[0]], [digit, grade[1]]].forEach(([select, sign]) => {
      const words = sign ? [...select.options].find((option) => option.value === sign).text : "";
      select.options[0].text = isStated ? `${words} (usual)` : UNSET;
      const isOurs = select.dataset.filled !== undefined && select.value === select.dataset.filled;
      if (select.value !== "" && !isOurs) return;
      select.value = isStated ? "" : sign || "";
      select.dataset.filled = select.value;
    });
  }

  function fillKeys(choice) {
    ["origin", "event"].forEach((name) => {
      const input = field(name), key = choice.dataset[name] || "";
      if (!input || (input.value !== "" && input.value !== input.dataset.filled)) return;
      input.value = key;
      input.dataset.filled = key;
    });
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "source") fillGrade();
    if (event.target.name === "same") fillKeys(event.target);
  }, true);
  document.addEventListener("DOMContentLoaded", fillGrade);
})();
