// Every policy as a square of a table: rows and columns are values of knobs, a press shows the policy.

class PolicyMap {
  constructor(data, place) {
    this.data = data;
    this.values = new Map(data.knobs);
    this.places = new Map(data.knobs.map(([name], at) => [name, at]));
    this.clause = null;
    this.selects = new Map();
    this.status = made("p", { class: "shown", role: "status" });
    this.worth = this.select("worth", ["strict", "eventual", "refused"]);
    const knobs = data.knobs.map(([name, values]) => this.select(name, values));
    const bar = made("div", { class: "filters", role: "group", "aria-label": "Policies of the map" }, ...knobs, this.worth,
      made("button", { type: "button", onclick: () => this.clear() }, "Show all"), this.status);
    this.legend = made("div", { class: "groups" }, ...this.legends());
    this.table = made("table", { class: "map", role: "grid", "aria-label": "Policies; arrow keys move, Enter shows one" });
    this.table.addEventListener("click", (event) => this.pressed(event.target.closest("td[data-square]")));
    this.table.addEventListener("keydown", (event) => this.key(event));
    this.policy = made("div", { class: "policy", role: "region", "aria-live": "polite", "aria-label": "The policy that is chosen" });
    place.append(bar, this.legend, made("div", { class: "maps" },
      made("div", { class: "scroll" }, this.table), this.policy));
    this.show(0);
    this.draw();
  }

  select(name, values) {
    const select = made("select", { "aria-label": name, onchange: () => this.draw() }, made("option", { value: "" }, "any"),
      ...values.map((value) => made("option", { value }, value)));
    this.selects.set(name, select);
    return made("label", {}, name, select);
  }

  // A button for each clause: only what it refuses first is shown; pressed again, everything.
  legends() {
    return [["eventual", "Refused: loses for good, or never ends", "refused"],
      ["strict", "Eventual: refused by the strict gate alone", "eventual"]].map(([strength, title, kind]) => {
      const many = this.data.clauses.map((_, at) => this.data.squares.filter((square) => this.first(square) === at).length);
      const buttons = this.data.clauses.map((clause, at) => (clause.strength !== strength || !many[at] ? null
        : made("button", { type: "button", "aria-pressed": "false", "data-clause": at, title: clause.why,
          onclick: () => this.press(at) }, made("span", { class: `key ${kind}`, "aria-hidden": "true" }, clause.letter),
        made("span", {}, clause.name, " ", made("small", {}, many[at].toLocaleString("en"))))));
      return made("div", { role: "group", "aria-label": title }, made("h3", {}, title), made("div", { class: "legend" }, ...buttons));
    });
  }

  // The clause whose letter a square has: of the gate that decides its worth, the first.
  first(square) {
    const strength = square[1] === 2 ? "eventual" : "strict";
    const found = square[2].find((at) => this.data.clauses[at].strength === strength);
    return found === undefined ? null : found;
  }

  press(at) {
    this.clause = this.clause === at ? null : at;
    this.draw();
  }

  clear() {
    for (const select of this.selects.values()) select.value = "";
    this.clause = null;
    this.draw();
  }

  fits(square) {
    const worth = this.selects.get("worth").value;
    if (worth && ["strict", "eventual", "refused"][square[1]] !== worth) return false;
    if (this.clause !== null && this.first(square) !== this.clause) return false;
    return this.data.knobs.every(([name, values], at) => {
      const chosen = this.selects.get(name).value;
      return !chosen || values[square[0][at]] === chosen;
    });
  }

  // The combinations of some knobs that a square which is shown has, in order.
  ways(names, squares) {
    const found = new Map();
    for (const square of squares) {
      const way = names.map((name) => square[0][this.places.get(name)]);
      found.set(way.join(), way);
    }
    return [...found.values()].sort((one, other) => {
      const at = one.findIndex((value, place) => value !== other[place]);
      return at < 0 ? 0 : one[at] - other[at];
    });
  }

  draw() {
    const { across, down } = this.data, squares = this.data.squares.filter((square) => this.fits(square));
    const columns = this.ways(across, squares), rows = this.ways(down, squares);
    const at = new Map(squares.map((square) => [this.key_of(down, square) + "/" + this.key_of(across, square), square]));
    this.legend.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed",
      String(Number(button.dataset.clause) === this.clause)));
    const head = made("thead", {}, ...across.map((name, level) => this.heading(name, level, columns)));
    const groups = columns.map((way, n) => n > 0 && way[0] !== columns[n - 1][0]);
    const body = made("tbody", {}, ...rows.map((row) => made("tr", {},
      made("th", { scope: "row" }, down.map((name, n) => this.short(name, row[n])).join(" \u00b7 ")),
      ...columns.map((column, n) => this.cell(at.get(`${row.join()}/${column.join()}`), groups[n])))));
    this.table.replaceChildren(head, body);
    const counts = [0, 1, 2].map((worth) => squares.filter((square) => square[1] === worth).length);
    this.status.textContent = `${squares.length.toLocaleString("en")} of ${this.data.squares.length.toLocaleString("en")} policies: `
      + `${counts[0]} strict, ${counts[1]} eventual, ${counts[2].toLocaleString("en")} refused`;
    const first = this.table.querySelector("td[aria-selected=true]") || this.table.querySelector("td[data-square]");
    if (first) first.tabIndex = 0;
  }

  key_of(names, square) {
    return names.map((name) => square[0][this.places.get(name)]).join();
  }

  short(name, value) {
    const words = this.values.get(name)[value];
    if (name === "replicas") return words === "true" ? "replicas" : "one copy";
    return name === "replica_ack" ? `ack ${words}` : words;
  }

  // Equal values beside each other are one heading over their columns.
  heading(name, level, columns) {
    const cells = [];
    for (const way of columns) {
      const here = way.slice(0, level + 1).join();
      if (cells.length && cells[cells.length - 1].here === here) cells[cells.length - 1].many += 1;
      else cells.push({ here, many: 1, words: this.values.get(name)[way[level]] });
    }
    return made("tr", {}, made("th", { class: "knob", scope: "row" }, name), ...cells.map(({ many, words }) =>
      made("th", { scope: "colgroup", colspan: many, class: level === this.data.across.length - 1 ? "upright" : null,
        title: `${name}: ${words}` }, words)));
  }

  cell(square, group) {
    if (square === undefined) return made("td", { class: group ? "group" : null });
    const kind = ["strict", "eventual", "refused"][square[1]], first = this.first(square);
    const clause = first === null ? null : this.data.clauses[first];
    const number = this.data.squares.indexOf(square);
    return made("td", { role: "gridcell", class: group ? `${kind} group` : kind, tabindex: -1, "data-square": number,
      "aria-selected": String(number === this.now), "aria-label": clause ? `${kind}, ${clause.name}` : kind },
    clause ? clause.letter : "\u25cf");
  }

  key(event) {
    const cell = event.target.closest("td[data-square]");
    if (!cell || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.pressed(cell);
      return;
    }
    const [right, below] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
      Home: [-Infinity, 0], End: [Infinity, 0] }[event.key] || [0, 0];
    if (!right && !below) return;
    event.preventDefault();
    const next = this.beyond(cell, right, below);
    if (!next) return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  beyond(cell, right, below) {
    if (!Number.isFinite(right)) {
      const all = [...cell.parentElement.querySelectorAll("td[data-square]")];
      return right < 0 ? all[0] : all[all.length - 1];
    }
    let row = cell.parentElement, column = cell.cellIndex;
    for (;;) {
      column += right;
      if (below) row = below > 0 ? row.nextElementSibling : row.previousElementSibling;
      const next = row && row.cells[column];
      if (!next || next.tagName !== "TD") return null;
      if (next.dataset.square !== undefined) return next;
    }
  }

  pressed(cell) {
    if (!cell) return;
    const before = this.table.querySelector("td[aria-selected=true]");
    if (before) before.setAttribute("aria-selected", "false");
    this.table.querySelectorAll("td[tabindex='0']").forEach((one) => { one.tabIndex = -1; });
    cell.setAttribute("aria-selected", "true");
    cell.tabIndex = 0;
    cell.focus();
    this.show(Number(cell.dataset.square));
  }

  show(number) {
    this.now = number;
    const square = this.data.squares[number];
    const said = ["Strict: safe at every moment", "Eventual: safe in the end, while anti-entropy repairs",
      "Refused: loses for good, or never ends"][square[1]];
    const knobs = this.data.knobs.map(([name, values], at) => made("div", { class: square[0][at] ? "other" : null },
      made("dt", {}, name), made("dd", {}, values[square[0][at]])));
    const clauses = square[2].map((at) => this.clauseOf(this.data.clauses[at]));
    const steps = this.data.properties.map((name, at) => [name, square[3] ? square[3][at] : 0]).filter(([, many]) => many);
    steps.sort((one, other) => one[1] - other[1]);
    this.policy.replaceChildren(...[made("h3", {}, said), made("dl", { class: "knobs" }, ...knobs),
      clauses.length ? made("h3", {}, "Refused since") : null, clauses.length ? made("ul", {}, ...clauses) : null,
      steps.length ? made("h3", {}, "What is violated, in the fewest steps") : null,
      steps.length ? made("ul", {}, ...steps.map(([name, many]) => made("li", {}, `${name}: ${many} steps`))) : null,
      made("h3", {}, clauses.length ? "Its own shortest run" : "See that it holds"),
      made("code", { class: "command" }, this.command(square, steps.length ? steps[0][0] : ""))].filter((part) => part));
  }

  clauseOf(clause) {
    return made("li", {}, made("b", {}, `${clause.letter} ${clause.name}`), ` (${clause.strength}): ${clause.why}. `,
      clause.view ? made("a", { href: clause.view }, clause.steps ? `See it in ${clause.steps} steps` : "See it") : null);
  }

  command(square, property) {
    const changed = this.data.knobs.map(([name, values], at) => (square[0][at] ? `${name}=${values[square[0][at]]}` : ""))
      .filter((part) => part).join(",");
    const alone = this.values.get("replicas")[square[0][this.places.get("replicas")]] === "false";
    return ["cutproof explore --scope", alone ? "gate_alone" : "gate", ...(changed ? ["--policy", changed] : []),
      ...(property ? ["--property", property, "--trace counterexamples"] : [])].join(" ");
  }
}

{
  const place = document.getElementById("policies"), data = document.getElementById("data");
  if (place && data) new PolicyMap(JSON.parse(data.textContent), place);
}
