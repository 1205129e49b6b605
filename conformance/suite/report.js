"use strict";
const search = document.getElementById("search"), outcome = document.getElementById("outcome"), found = document.getElementById("found");
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean), active = words.length > 0 || outcome.value !== "";
  document.body.classList.toggle("searching", active);
  let count = 0;
  for (const cell of document.querySelectorAll(".cell")) {
    let shown = 0;
    for (const one of cell.querySelectorAll(".case")) {
      const text = one.textContent.toLowerCase();
      const match = (!outcome.value || one.dataset.outcome === outcome.value) && words.every(word => text.includes(word));
      one.classList.toggle("hidden", active && !match);
      if (match) shown++;
    }
    cell.classList.toggle("hidden", active && shown === 0);
    count += shown;
  }
  found.textContent = active ? count + " found" : "";
}
search.addEventListener("input", filter);
outcome.addEventListener("change", filter);
