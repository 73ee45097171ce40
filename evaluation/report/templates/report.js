"use strict";
// Tables can be sorted by clicking a heading, and filtered where they are long.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  if (rows.length < 2) continue;
  table.querySelectorAll("th").forEach((heading, column) => makeSortable(table, body, rows, heading, column));
  if (rows.length > 8) makeFilter(table, rows);
}

function valueOf(row, column) {
  const cell = row.cells[column];
  if (!cell.classList.contains("number")) return cell.textContent.toLowerCase();
  return cell.dataset.value === undefined ? NaN : Number(cell.dataset.value);
}

function makeSortable(table, body, rows, heading, column) {
  // A span, as Chromium leaves out real buttons in headings repeated on paper.
  const button = document.createElement("span");
  button.className = "sort";
  button.setAttribute("role", "button");
  button.tabIndex = 0;
  button.textContent = heading.textContent;
  heading.replaceChildren(button);
  button.addEventListener("click", () => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const sorted = rows.slice().sort((first, second) => {
      const a = valueOf(first, column), b = valueOf(second, column);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      const order = typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
      return up ? order : -order;
    });
    body.append(...sorted);
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    button.click();
  });
}

// Whether a table has more rows than are seen at once.
function isLong(table) {
  return table.parentElement.scrollHeight > table.parentElement.clientHeight + 1;
}

function makeFilter(table, rows) {
  const tools = document.createElement("div");
  tools.className = "tools";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Filter rows, e.g. two words";
  input.setAttribute("aria-label", "Filter rows");
  const count = document.createElement("span");
  const all = `${rows.length} rows${isLong(table) ? ": scroll in the table" : ""}`;
  count.textContent = all;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = shown === rows.length ? all : `${shown} of ${rows.length} rows`;
  });
  tools.append(input, count);
  table.parentElement.before(tools);
}

// Served as /media?filepath=..., as FiftyOne's App does: links are relative to the file.
(() => {
  const file = new URLSearchParams(location.search).get("filepath");
  if (!location.pathname.endsWith("/media") || !file) return;
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  for (const link of document.links) {
    const to = link.getAttribute("href");
    if (/^([a-z]+:|[#/])/i.test(to)) continue;
    link.href = `${location.pathname}?filepath=${encodeURIComponent(folder + to)}`;
  }
})();
