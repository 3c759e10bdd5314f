"use strict";
// Tables that are sorted by a press on a heading, and filtered by a text and by what a column holds.

function made(name, attributes, ...inside) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else one.setAttribute(key, value === true ? "" : value);
  }
  one.append(...inside.filter((part) => part !== null && part !== undefined));
  return one;
}

class Sheet {
  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.heads = [...table.tHead.rows[0].cells];
    this.names = this.heads.map((head) => head.textContent.trim());
    this.rows = [...this.body.rows];
    this.texts = this.rows.map((row) => row.textContent.toLowerCase());
    this.chosen = new Map();
    this.heads.forEach((head, column) => this.sortable(head, column));
    if (this.rows.length > 5) this.filterable();
  }

  value(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
  }

  sortable(head, column) {
    head.replaceChildren(made("button", { type: "button", onclick: () => this.sort(column) }, this.names[column]));
    head.setAttribute("aria-sort", "none");
  }

  // Up, down, and as it was; what is equal stays in the order that it had at first.
  sort(column) {
    const now = this.heads[column].getAttribute("aria-sort");
    const next = { none: "ascending", ascending: "descending", descending: "none" }[now];
    const number = this.heads[column].dataset.number !== undefined, way = next === "descending" ? -1 : 1;
    this.heads.forEach((head, at) => head.setAttribute("aria-sort", at === column ? next : "none"));
    const keys = new Map(this.rows.map((row, at) => [row, [this.value(row, column), at]]));
    const compared = (one, other) => {
      const [a, at] = keys.get(one), [b, after] = keys.get(other);
      if (next === "none" || a === b) return at - after;
      if (a === "" || b === "") return a === "" ? 1 : -1;
      const apart = number ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
      return way * apart || at - after;
    };
    this.body.append(...[...this.rows].sort(compared));
  }

  filterable() {
    const find = made("input", { type: "search", "aria-label": "Find", oninput: () => this.filter(), placeholder: "any word of a row" });
    this.find = find;
    this.said = made("p", { class: "shown", role: "status" });
    const choices = this.heads.flatMap((head, column) => (head.dataset.choose === undefined ? [] : [this.choice(column)]));
    const all = made("button", { type: "button", onclick: () => this.clear() }, "Show all");
    const bar = made("div", { class: "filters", role: "group", "aria-label": `Rows of: ${this.table.caption.textContent}` },
      made("label", {}, "Find", find), ...choices, all, this.said);
    this.table.closest(".sheet").prepend(bar);
    this.filter();
  }

  choice(column) {
    const values = [...new Set(this.rows.map((row) => this.value(row, column)))];
    const label = this.names[column] || "Outcome";
    const select = made("select", { "aria-label": label, onchange: () => this.filter() }, made("option", { value: "" }, "any"),
      ...values.filter((value) => value).map((value) => made("option", { value }, value)));
    this.chosen.set(column, select);
    return made("label", {}, label, select);
  }

  clear() {
    this.find.value = "";
    for (const select of this.chosen.values()) select.value = "";
    this.filter();
  }

  filter() {
    const words = this.find.value.toLowerCase().split(/\s+/u).filter((word) => word);
    let many = 0;
    this.rows.forEach((row, at) => {
      const fits = words.every((word) => this.texts[at].includes(word))
        && [...this.chosen].every(([column, select]) => !select.value || this.value(row, column) === select.value);
      row.hidden = !fits;
      many += fits;
    });
    this.said.textContent = many === this.rows.length ? `${many.toLocaleString("en")} rows`
      : `${many.toLocaleString("en")} of ${this.rows.length.toLocaleString("en")} rows`;
  }
}

document.querySelectorAll(".sheet table").forEach((table) => new Sheet(table));
