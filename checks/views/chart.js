"use strict";
// Lanes: a row for each step, a column for each lane, and arrows between them. Only rows in sight are drawn.

const ROW = 46, GUTTER = 52, SVG = "http://www.w3.org/2000/svg", ALL = 300, AROUND = 14;

function element(name, attributes, ...inside) {
  const made = document.createElement(name);
  put(made, attributes, inside);
  return made;
}

function drawn(name, attributes, ...inside) {
  const made = document.createElementNS(SVG, name);
  put(made, attributes, inside);
  return made;
}

function put(made, attributes, inside) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...inside.filter((part) => part !== null && part !== undefined));
}

// Direction marks and what cannot be seen are named, so that a text cannot turn round what stands beside it.
function visible(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
    (mark) => `[U+${mark.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}

function text(words) {
  return element("bdi", {}, visible(words));
}

function shortened(words, room) {
  const shown = visible(words);
  return shown.length <= room ? shown : `${shown.slice(0, Math.max(1, room - 1))}\u2026`;
}

function kindOf(arrow) {
  const kind = arrow.fate || "arrives";
  return kind === "arrives" && arrow.late ? "late" : kind;
}

class Chart {
  // `chosen(step)` is called when a row is clicked.
  constructor(run, chosen) {
    this.run = run;
    this.chosen = chosen;
    this.now = 0;
    this.arrows = (run.arrows || []).map((arrow) => ({ ...arrow, kind: kindOf(arrow) }));
    this.spans = run.spans || [];
    this.offsets();
    this.head = element("div", { class: "heads", "aria-hidden": "true" });
    this.svg = drawn("svg", { class: "lanes", role: "img", "aria-label":
      `Lanes: ${run.lanes.map((lane) => visible(lane.name)).join(", ")}. The list of steps says the same in words.` });
    this.list = element("ol", { class: "told", "aria-label": "Steps" });
    this.inner = element("div", { class: "rows" }, this.svg, this.list);
    this.view = element("div", { class: "chart", tabindex: "0", role: "region", "aria-label": "Lanes and steps" },
      this.head, this.inner);
    this.svg.addEventListener("click", (event) => {
      const place = event.clientY - this.svg.getBoundingClientRect().top;
      this.chosen(Math.min(this.last(), Math.floor(place / ROW)));
    });
    if (run.steps.length > ALL) this.view.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.measure()).observe(this.view);
  }

  last() { return this.run.steps.length - 1; }

  // Messages that wait beside the same lane at once stand side by side.
  offsets() {
    const until = new Map();
    for (const arrow of this.arrows) {
      const end = arrow.arrives === null ? this.last() : arrow.arrives;
      if (end - arrow.sent < 1) continue;
      const taken = until.get(arrow.target) || [];
      let slot = taken.findIndex((free) => free < arrow.sent);
      if (slot < 0) slot = taken.length;
      taken[slot] = end;
      until.set(arrow.target, taken);
      arrow.slot = slot;
    }
  }

  measure() {
    const wide = this.view.clientWidth, many = this.run.lanes.length;
    const list = wide >= 760 ? Math.max(260, Math.min(460, wide * 0.33)) : 0;
    const room = wide - GUTTER - list - 8;
    this.lane = Math.max(many > 1 ? 92 : 120, Math.min(230, room / Math.max(1, many)));
    this.width = GUTTER + this.lane * many;
    this.listed = list;
    this.view.classList.toggle("narrow", list === 0);
    this.heads();
    this.draw(true);
    if (!this.measured) this.go(this.now, true);
    this.measured = true;
  }

  x(lane) { return GUTTER + this.lane * (lane + 0.5); }

  y(step) { return ROW * (step + 0.5); }

  heads() {
    const cells = this.run.lanes.map((lane) => {
      const cell = element("span", { class: "head", title: visible(lane.title || "") },
        element("b", {}, text(lane.name)), lane.title ? element("small", {}, text(lane.title)) : null);
      cell.style.width = `${this.lane}px`;
      return cell;
    });
    const corner = element("span", { class: "corner" });
    corner.style.width = `${GUTTER}px`;
    this.head.replaceChildren(corner, ...cells);
    this.head.style.width = `${this.width + this.listed}px`;
  }

  draw(anew) {
    const total = this.last(), everything = total <= ALL || this.printing;
    const top = everything ? 0 : Math.max(0, Math.floor(this.view.scrollTop / ROW) - AROUND);
    const bottom = everything ? total
      : Math.min(total, Math.ceil((this.view.scrollTop + this.view.clientHeight) / ROW) + AROUND);
    if (!anew && top === this.top && bottom === this.bottom) return;
    [this.top, this.bottom] = [top, bottom];
    const high = ROW * (total + 1);
    put(this.svg, { width: this.width, height: high, viewBox: `0 0 ${this.width} ${high}` }, []);
    this.inner.style.height = `${high}px`;
    this.inner.style.width = `${this.width + this.listed}px`;
    this.list.style.cssText = `left:${this.width}px;width:${this.listed}px`;
    const parts = [this.band()];
    parts.push(...this.run.lanes.map((_, lane) => drawn("line", { class: "life", x1: this.x(lane), x2: this.x(lane),
      y1: ROW * top, y2: ROW * (bottom + 1) })));
    if (this.run.loop !== undefined && this.run.loop !== null) parts.push(this.round());
    parts.push(...this.spans.filter((s) => s.begins <= bottom && (s.ends ?? total) >= top).map((s) => this.span(s)));
    for (let step = top; step <= bottom; step += 1) parts.push(...this.step(step));
    const seen = this.arrows.filter((a) => a.sent <= bottom && (a.arrives ?? total) >= top);
    parts.push(...seen.map((arrow) => this.arrow(arrow)));
    this.svg.replaceChildren(...parts);
    this.items(top, bottom, everything);
  }

  band() {
    this.marker = drawn("rect", { class: "now", x: 0, width: this.width, y: ROW * this.now, height: ROW });
    return this.marker;
  }

  step(number) {
    const step = this.run.steps[number], y = this.y(number), verdict = this.run.verdict || {};
    const mark = number && number === verdict.since && verdict.form !== "sometimes" ? "bad"
      : number && number === verdict.inevitable ? "fated" : "";
    const parts = [drawn("text", { class: `number ${mark}`, x: 12, y: y + 4 }, String(number))];
    if (mark) parts.push(drawn("rect", { class: `flag ${mark}`, x: 0, width: 4, y: ROW * number, height: ROW }));
    if (step.lane === undefined || step.lane < 0 || !number) return parts;
    const fault = step.fault && step.fault !== "choice", x = this.x(step.lane);
    parts.push(fault
      ? drawn("path", { class: "dot fault", d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` })
      : drawn("circle", { class: "dot", cx: x, cy: y, r: 4.5 }));
    if (!this.arrows.some((a) => a.text && a.sent === number && (a.source === step.lane || a.target === step.lane))) {
      const comes = this.arrows.find((a) => a.arrives === number && a.target === step.lane && a.source !== a.target);
      const last = step.lane === this.run.lanes.length - 1 && this.run.lanes.length > 1;
      const left = comes ? comes.source > comes.target : last, room = last && !left ? this.lane / 2 - 8 : this.lane;
      const words = shortened(step.call.replace(/\(.*$/s, "").replaceAll("_", " "), Math.floor(room / 7));
      parts.push(drawn("text", { class: "does", x: left ? x - 11 : x + 11, y: y + 4,
        "text-anchor": left ? "end" : "start" }, words));
    }
    return parts;
  }

  arrow(arrow) {
    const from = this.x(arrow.source), to = this.x(arrow.target), same = arrow.source === arrow.target;
    const way = to > from ? 1 : -1, start = this.y(arrow.sent), ends = arrow.arrives === null ? this.last() : arrow.arrives;
    const end = this.y(ends), broken = ["lost", "failed", "under way"].includes(arrow.kind);
    const late = arrow.late || arrow.kind === "late";
    let path, tip = to - way * 6, label = start - 7;
    if (ends === arrow.sent && arrow.arrives !== null) {
      path = same ? `M${from} ${start}h26v10h-20` : `M${from} ${start}L${tip} ${start}`;
    } else {
      const beside = to - way * (15 + 6 * Math.min(6, arrow.slot || 0));
      const stop = broken ? end - (arrow.kind === "under way" ? -ROW / 2 : 0) : end - 8;
      path = `M${from} ${start}L${beside} ${Math.min(start + 14, stop)}V${stop}`;
      if (!broken) path += `L${tip} ${end}`;
      else tip = beside;
    }
    const words = `${arrow.text}${late ? " (late)" : arrow.kind === "arrives" ? "" : ` (${arrow.kind})`}`;
    const room = arrow.arrives === arrow.sent && !same ? Math.abs(to - from) : this.lane;
    const middle = same ? from + 30 : to - way * room / 2;
    const group = drawn("g", { class: `arrow ${arrow.kind.replace(" ", "-")}${late ? " late" : ""}` },
      drawn("title", {}, visible(words)), drawn("path", { class: "way", d: path }));
    if (broken && arrow.kind !== "under way") {
      const cross = ends === arrow.sent ? tip - way * 12 : tip;
      group.append(drawn("path", { class: "end", d: `M${cross - 6} ${end - 6}l12 12m0 -12l-12 12` }));
    } else if (arrow.kind === "refused") {
      group.append(drawn("path", { class: "end", d: `M${tip} ${end - 8}v16` }));
    } else if (arrow.kind !== "under way") {
      group.append(drawn("path", { class: "head", d: `M${tip + way * 3} ${end}l${-way * 9} -4.5v9z` }));
    }
    if (arrow.text) {
      group.append(drawn("text", { class: "says", x: middle, y: label, "text-anchor": "middle" },
        shortened(words, Math.floor(room / 6.2))));
    }
    return group;
  }

  span(span) {
    const x = this.x(span.lane), top = this.y(span.begins), end = span.ends === null ? this.last() : span.ends;
    const group = drawn("g", { class: `span ${span.fate || ""}` }, drawn("title", {}, visible(span.text)),
      drawn("rect", { x: x - 7, y: top - 9, width: 14, rx: 7, height: Math.max(18, this.y(end) - top + 18) }));
    group.append(drawn("text", { class: "does", x: x + 13, y: top + 21 },
      shortened(span.text, Math.floor(this.lane / 7))));
    return group;
  }

  round() {
    const top = this.y(this.run.loop + 1) - 10, end = this.y(this.last()) + 10;
    return drawn("g", { class: "round" }, drawn("title", {}, "These steps go round for ever"),
      drawn("path", { d: `M50 ${end}h-5a6 6 0 0 1 -6 -6V${top + 6}a6 6 0 0 1 6 -6h4` }),
      drawn("path", { class: "head", d: `M53 ${top}l-7 -4v8z` }));
  }

  items(top, bottom, everything) {
    if (!this.listed && !this.printing) {
      this.list.replaceChildren();
      return;
    }
    const items = [];
    for (let number = top; number <= bottom; number += 1) items.push(this.item(number, everything));
    this.list.replaceChildren(...items);
  }

  item(number, everything) {
    const step = this.run.steps[number], verdict = this.run.verdict || {};
    const said = number ? step.sentence || step.call : "At the start";
    const button = element("button", { type: "button", tabindex: number === this.now ? "0" : "-1",
      "aria-current": number === this.now ? "step" : null, onclick: () => this.chosen(number) },
    element("span", { class: "words" }, text(said)));
    if (number && number === verdict.inevitable) button.append(element("em", { class: "chip fated" }, "inevitable from here"));
    if (number && number === verdict.since && verdict.form !== "sometimes") {
      button.append(element("em", { class: "chip bad" }, verdict.form === "always" ? "the promise is broken" : "the end"));
    }
    const place = everything ? {} : { "aria-setsize": this.run.steps.length, "aria-posinset": number + 1 };
    const item = element("li", place, button);
    item.style.top = `${ROW * number}px`;
    return item;
  }

  go(step, show) {
    this.now = step;
    if (this.marker) this.marker.setAttribute("y", ROW * step);
    for (const button of this.list.querySelectorAll("button")) {
      const number = Math.round(parseFloat(button.parentNode.style.top) / ROW);
      button.tabIndex = number === step ? 0 : -1;
      if (number === step) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    if (!show) return;
    const top = ROW * step, high = this.view.clientHeight - this.head.offsetHeight - ROW;
    if (top < this.view.scrollTop || top > this.view.scrollTop + high) this.view.scrollTop = Math.max(0, top - high / 2);
  }
}
