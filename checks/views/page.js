// A run with its lanes, a slider over its steps, and what is so after the step that is chosen.

function summary(words, many) {
  return element("summary", {}, words, many === undefined ? null : element("span", { class: "many" }, ` ${many}`));
}

class Run {
  constructor(run, number) {
    this.run = run;
    this.id = `run-${number}`;
    this.step = 0;
    this.moved = () => {};
    this.sums = this.summed();
    this.chart = new Chart(run, (step) => this.go(step));
    this.root = element("article", { class: "run", "aria-labelledby": `${this.id}-title` },
      this.top(), this.verdict(), this.player(), this.body(), this.end());
    this.go(run.verdict && run.verdict.since ? run.verdict.since : run.steps.length - 1, true);
  }

  last() { return this.run.steps.length - 1; }

  // What is shown of lanes, the state and the choices are changes: sums are kept at every hundredth step.
  summed() {
    const sums = [], all = { standing: {}, state: {}, choices: {} };
    this.run.steps.forEach((step, number) => {
      for (const part of Object.keys(all)) Object.assign(all[part], step[part] || {});
      if (number % 100 === 0) {
        sums.push({ standing: { ...all.standing }, state: { ...all.state }, choices: { ...all.choices } });
      }
    });
    return sums;
  }

  at(number) {
    const from = Math.floor(number / 100), sum = this.sums[from];
    const all = { standing: { ...sum.standing }, state: { ...sum.state }, choices: { ...sum.choices } };
    for (let step = from * 100 + 1; step <= number; step += 1) {
      for (const part of Object.keys(all)) Object.assign(all[part], this.run.steps[step][part] || {});
    }
    return all;
  }

  top() {
    const about = (this.run.about || []).map(([name, value]) => element("span", {}, `${visible(name)} `,
      element("b", {}, text(value))));
    return element("header", {}, element("h1", { id: `${this.id}-title` }, text(this.run.title)),
      element("p", { class: "why" }, text(this.run.why)), about.length ? element("p", { class: "about" }, ...about) : null);
  }

  verdict() {
    const verdict = this.run.verdict || {}, harmless = !verdict.form || verdict.form === "sometimes";
    const jump = (step, words) => step === undefined || step === null || step === 0 ? null
      : element("button", { type: "button", class: "jump", onclick: () => this.go(step, true) }, `${words} ${step}`);
    const block = (kind, name, ...inside) => element("div", { class: `block ${kind}` },
      element("h2", {}, name), ...inside);
    const twice = verdict.since === verdict.inevitable;
    return element("section", { class: "verdict", "aria-label": "What was promised, and what became of it" },
      block("promise", "The promise", element("p", {}, text(verdict.promise || "Nothing in particular was promised."))),
      block(harmless ? "fine" : "loss", harmless ? "What happened" : "What became of it",
        element("p", {}, text(verdict.loss || "Nothing is said to be lost."))),
      block("step", "By which step", element("p", {}, text(verdict.by || "")),
        verdict.after ? element("p", { class: "after" }, text(verdict.after)) : null,
        element("p", { class: "jumps" }, jump(verdict.since, "Go to step"),
          twice ? null : jump(verdict.inevitable, "Go to step"))));
  }

  player() {
    const button = (name, label, to) => element("button", { type: "button", class: "move", "aria-label": label,
      title: label, onclick: () => this.go(to(), true) }, name);
    this.slider = element("input", { type: "range", min: 0, max: this.last(), value: 0, id: `${this.id}-slider`,
      "aria-label": "Step", oninput: () => this.go(Number(this.slider.value), true) });
    this.count = element("span", { class: "count" });
    this.said = element("p", { class: "said" });
    this.call = element("p", { class: "call" });
    return element("section", { class: "player", "aria-label": "The step" },
      element("div", { class: "moves" },
        button("\u21e4", "First step (Home)", () => 0), button("\u2190", "Step back (left arrow)", () => this.step - 1),
        this.slider,
        button("\u2192", "Next step (right arrow)", () => this.step + 1), button("\u21e5", "Last step (End)", () => this.last())),
      element("div", { class: "sentence", "aria-live": "polite", "aria-atomic": "true" }, this.count, this.said, this.call));
  }

  body() {
    this.changed = element("ul", { class: "changed" });
    this.stands = element("dl", { class: "stands" });
    this.can = element("details", { class: "can" });
    this.cannot = element("details", { class: "cannot" });
    this.state = element("details", { class: "state" });
    for (const part of [this.can, this.cannot, this.state]) part.addEventListener("toggle", () => this.fill());
    return element("div", { class: "body" }, this.chart.view,
      element("section", { class: "aside", "aria-label": "After this step" },
        element("h2", {}, "What changed"), this.changed,
        ...(this.run.steps.some((step) => Object.values(step.standing || {}).some((of) => of.length))
          ? [element("h2", {}, "How each stands now"), this.stands] : []),
        this.run.calls && this.run.calls.length ? this.can : null,
        this.run.calls && this.run.calls.length ? this.cannot : null,
        this.run.steps.some((step) => Object.keys(step.state || {}).length) ? this.state : null, this.legend()));
  }

  legend() {
    const kinds = new Set(this.chart.arrows.map((arrow) => arrow.late ? "late" : arrow.kind));
    const words = { arrives: "arrives", late: "late: nobody waits for it any more", lost: "lost, and nobody is told",
      failed: "fails, and its sender is told", refused: "refused", "under way": "still under way at the end" };
    const items = Object.keys(words).filter((kind) => kinds.has(kind)).map((kind) => element("li", {},
      drawn("svg", { width: 34, height: 12, "aria-hidden": "true" }, drawn("g", { class: `arrow ${kind.replace(" ", "-")}` },
        drawn("path", { class: "way", d: "M1 6h30" }))), element("span", {}, words[kind])));
    if (this.run.steps.some((step) => step.fault && step.fault !== "choice")) {
      items.push(element("li", {}, drawn("svg", { width: 34, height: 16, "aria-hidden": "true" },
        drawn("path", { class: "dot fault", d: "M17 1l7 7l-7 7l-7 -7z" })), element("span", {}, "a fault")));
    }
    return items.length ? element("ul", { class: "legend", "aria-label": "How arrows are drawn" }, ...items) : null;
  }

  end() {
    const verdict = this.run.verdict || {}, rows = verdict.rows || [], lasts = verdict.lasts || [];
    const parts = [];
    if (rows.length) {
      const [head, ...rest] = rows;
      const table = element("table", {}, element("caption", {}, "At the end"),
        element("thead", {}, element("tr", {}, ...head.map((cell, place) => place || cell
          ? element("th", { scope: "col" }, text(cell)) : element("td", {})))),
        element("tbody", {}, ...rest.map((row) => element("tr", {}, ...row.map((cell, place) =>
          element(place ? "td" : "th", place ? {} : { scope: "row" }, text(cell)))))));
      parts.push(element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "At the end" }, table));
    }
    if (lasts.some(([, last]) => last)) {
      parts.push(element("dl", { class: "lasts" }, ...lasts.filter(([, last]) => last).map(([lane, last]) =>
        element("div", {}, element("dt", {}, text(lane)), element("dd", {}, text(last))))));
    }
    if (verdict.property) {
      parts.push(element("p", { class: "claim" }, "Property ", element("code", {}, text(verdict.property)),
        verdict.claim ? ": " : null, verdict.claim ? text(verdict.claim) : null));
    }
    if ((this.run.missing || []).length) {
      parts.push(element("ul", { class: "missing", "aria-label": "What this picture cannot say" },
        ...this.run.missing.map((line) => element("li", {}, text(line)))));
    }
    return element("section", { class: "end", "aria-label": "The end" }, element("h2", {}, "How it ends"), ...parts);
  }

  go(wanted, show) {
    const number = Math.max(0, Math.min(this.last(), wanted)), before = this.step;
    this.step = number;
    const step = this.run.steps[number];
    this.slider.value = number;
    this.slider.setAttribute("aria-valuetext", `Step ${number} of ${this.last()}: ${visible(step.sentence || step.call || "the start")}`);
    this.count.textContent = `Step ${number} of ${this.last()}`;
    const fault = step.fault && step.fault !== "choice" ? element("em", { class: "chip fault" }, visible(step.fault)) : null;
    if (fault) this.count.append(" ", fault);
    this.said.replaceChildren(text(number ? step.sentence || step.call : "At the start."));
    this.call.replaceChildren(text(number && step.sentence ? step.call : ""));
    const changes = step.changes || [];
    this.changed.replaceChildren(...(changes.length ? changes : [number ? "nothing that is shown" : "nothing yet"])
      .map((line) => element("li", {}, text(line))));
    this.fill();
    this.chart.go(number, show);
    if (number !== before) this.moved(number);
  }

  fill() {
    const all = this.at(this.step), earlier = this.run.steps[this.step].standing || {};
    this.stands.replaceChildren(...this.run.lanes.map((lane, number) => {
      const lines = (all.standing[number] || []).map(([name, value]) => element("span", {},
        name ? element("i", {}, `${visible(name)} `) : null, text(value)));
      return element("div", { class: this.step && earlier[number] ? "new" : null }, element("dt", {}, text(lane.name)),
        element("dd", {}, ...(lines.length ? lines : ["\u2013"])));
    }));
    const calls = this.run.calls || [], next = this.step < this.last() ? this.run.steps[this.step + 1].call : "";
    const can = [], why = new Map();
    for (const [call, guard] of Object.entries(all.choices)) {
      if (guard < 0) can.push(calls[call]);
      else why.set(guard, [...(why.get(guard) || []), calls[call]]);
    }
    this.list(this.can, "What can be done now", can.length, () => [element("ul", {}, ...can.map((call) =>
      element("li", { class: call === next ? "next" : null }, element("code", {}, text(call)),
        call === next ? " is done next" : null)))]);
    const many = [...why.values()].reduce((sum, of) => sum + of.length, 0);
    this.list(this.cannot, "What cannot, and why", many, () => [...why].sort((a, b) => a[1].length - b[1].length)
      .map(([guard, of]) => element("div", { class: "because" },
        element("p", {}, "\u201c", text(this.run.guards[guard]), "\u201d is false, so not"),
        element("ul", {}, ...of.map((call) => element("li", {}, element("code", {}, text(call))))))));
    const fields = Object.entries(all.state), fresh = this.run.steps[this.step].state || {};
    this.list(this.state, "The whole state", fields.length, () => [element("dl", { class: "fields" }, ...fields.map(
      ([name, value]) => element("div", { class: this.step && name in fresh ? "new" : null },
        element("dt", {}, text(name)), element("dd", {}, text(value)))))]);
  }

  list(details, words, many, inside) {
    const open = details.open;
    details.replaceChildren(summary(words, many), ...(open ? inside() : []));
  }
}

(function start() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const runs = data.runs.map((run, number) => new Run(run, number));
  const main = document.getElementById("runs"), pair = runs.length === 2;
  let focused = runs[0];
  main.classList.toggle("pair", pair);
  if (pair) {
    const together = element("input", { type: "checkbox", id: "together" });
    main.append(element("section", { class: "parting", "aria-label": "The two runs" },
      element("p", {}, text(data.parting || "")),
      element("label", { for: "together" }, together, " Move both together")));
    runs.forEach((run, number) => {
      run.moved = (step) => {
        if (together.checked && runs[1 - number].step !== Math.min(step, runs[1 - number].last())) runs[1 - number].go(step, true);
      };
    });
  }
  for (const run of runs) {
    main.append(run.root);
    run.root.addEventListener("focusin", () => { focused = run; });
    run.root.addEventListener("pointerdown", () => { focused = run; });
  }
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "INPUT") return;
    const inChart = event.target.closest && event.target.closest(".chart");
    const steps = { ArrowLeft: -1, ArrowRight: 1, ...(inChart ? { ArrowUp: -1, ArrowDown: 1 } : {}) };
    let to = null;
    if (event.key in steps) to = focused.step + steps[event.key];
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = focused.last();
    if (to === null) return;
    event.preventDefault();
    focused.go(to, true);
    const chosen = event.target.tagName === "BUTTON" && inChart && focused.chart.list.querySelector("[aria-current]");
    if (chosen) chosen.focus();
  });
  const printing = (on) => () => runs.forEach((run) => {
    run.chart.printing = on && run.last() <= 2000;
    run.chart.draw(true);
  });
  window.addEventListener("beforeprint", printing(true));
  window.addEventListener("afterprint", printing(false));
}());
