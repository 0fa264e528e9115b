"use strict";
const search = document.getElementById("search");
search.hidden = false;
search.querySelector("input").addEventListener("input", event => {
  const wanted = event.target.value.toLowerCase();
  for (const scenario of document.querySelectorAll(".scenario")) {
    const named = scenario.querySelector("h2").textContent.toLowerCase().includes(wanted);
    let shown = 0;
    for (const row of scenario.querySelectorAll("tbody tr")) {
      row.hidden = !named && !row.querySelector("th").textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    scenario.hidden = shown === 0;
  }
});
