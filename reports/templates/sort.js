"use strict";
// Makes the columns of longer tables sortable: up, down, and as they stood. Nothing depends on it.
const comma = document.documentElement.lang !== "en";
const words = new Intl.Collator(document.documentElement.lang, { numeric: true });

function worth(row, column) {
  const cell = row.cells[column];
  const text = cell ? cell.textContent.trim() : "";
  const time = cell && cell.querySelector("time");
  if (time) return { number: Date.parse(time.dateTime), text };
  const digits = /^[-+−]?\d[\d.,]*/.exec(text.replace(/^[<>≤≥]\s*/, ""));
  if (!digits) return { number: NaN, text };
  const plain = comma ? digits[0].replace(/\./g, "").replace(",", ".") : digits[0].replace(/,/g, "");
  return { number: parseFloat(plain.replace("−", "-")), text };
}

function sorted(rows, column, sign) {
  const worths = new Map(rows.map(row => [row, worth(row, column)]));
  const isUnknown = row => !/[\p{L}\p{N}]/u.test(worths.get(row).text);
  const hasNumbers = rows.some(row => !Number.isNaN(worths.get(row).number));
  const rank = row => isUnknown(row) ? 2 : hasNumbers && Number.isNaN(worths.get(row).number) ? 1 : 0;
  return [...rows].sort((a, b) => {
    const one = worths.get(a), other = worths.get(b);
    // What is not known, or not shown, comes last whichever way the column is sorted.
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    if (rank(a) === 0 && hasNumbers) return sign * (one.number - other.number);
    return sign * words.compare(one.text, other.text);
  });
}

for (const table of document.querySelectorAll(".scroll > table")) {
  const head = table.tHead && table.tHead.rows[0];
  const body = table.tBodies[0];
  // Under headings that span several columns, a heading is not a column.
  if (!head || !body || table.tHead.rows.length > 1 || body.rows.length < 5) continue;
  const asTheyStood = [...body.rows];
  [...head.cells].forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[cell.getAttribute("aria-sort")];
      const order = next === undefined ? "ascending" : next;
      for (const other of head.cells) other.removeAttribute("aria-sort");
      if (order) cell.setAttribute("aria-sort", order);
      const sign = order === "descending" ? -1 : 1;
      body.append(...(order ? sorted(asTheyStood, column, sign) : asTheyStood));
    });
  });
}
