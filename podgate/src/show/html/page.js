"use strict";
const search = document.getElementById("search");
search.hidden = false;
search.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  for (const scenario of document.querySelectorAll(".scenario")) {
    const named = scenario.querySelector("h2").textContent.toLowerCase().includes(wanted);
    let shown = 0;
    for (const row of scenario.querySelectorAll(".row")) {
      row.hidden = !named && !row.textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    scenario.hidden = shown === 0;
  }
});
// The cell that was clicked says whose answer comes first; another cell of an open row moves that.
document.addEventListener("click", event => {
  const cell = event.target.closest("summary .cell");
  if (!cell) return;
  const row = cell.closest("details");
  const answer = row.querySelector(`.said .cluster-${cell.dataset.cluster}`);
  if (!answer) return;
  if (row.open && !answer.classList.contains("asked")) event.preventDefault();
  row.querySelectorAll(".asked").forEach(other => other.classList.remove("asked"));
  answer.classList.add("asked");
});
