// A walk through a protocol, step by step: what can be done is a list, what was done are lanes.
// Nothing is kept by the server: each request says the whole way, and the way stands in the address of the page.

const ENABLED = -1, LEAVES = -2, FEW = 400;
const HERE = {  // what is said of a property that is true, or false, in one state
  always: ["holds", "is false: violated"], sometimes: ["is so here", "is not so here"],
  can_always: ["is so here", "is not so here; it has to stay possible"],
  leads_to: ["nothing is open", "was asked for, and is not there yet"], eventually: ["is so", "is not so yet"],
};

function list(name, items) {
  return element(name, {}, ...items.map((item) => element("li", {}, item)));
}

function chip(words, kind) {
  return element("em", { class: `chip ${kind}` }, visible(words));
}

class Hand {
  constructor(about) {
    this.about = about;
    this.place = { begin: 0, path: [] };
    this.undone = [];  // steps that were taken back, the last one first
    this.taken = new Set();
    this.seen = new Set();
    this.busy = false;
    this.root = element("article", { class: "run hand", "aria-labelledby": "title" }, this.top(), this.bar(), this.body());
    document.addEventListener("keydown", (event) => this.pressed(event));
    window.addEventListener("hashchange", () => {
      const wanted = this.read();
      if (JSON.stringify(wanted) !== JSON.stringify(this.place)) this.go(wanted, []);
    });
  }

  // ---------------------------------------------------------------- the server

  async ask(route, body) {
    let answer;
    try {
      answer = await fetch(route, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    } catch {
      throw new Error("The server does not answer: it was ended. Start it again in the terminal; the address is a new one then.");
    }
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return answer;
  }

  // Show the end of a way. `undone` are the steps that can be taken again from there.
  async go(place, undone) {
    if (this.busy) return false;
    this.busy = true;
    try {
      this.here = await (await this.ask("at", place)).json();
      [this.place, this.undone] = [place, undone];
      this.told("");
      this.show();
      return true;
    } catch (error) {
      this.told(error.message);
      return false;
    } finally {
      this.busy = false;
    }
  }

  take(number) {
    const path = [...this.place.path, number];
    if (path.length > this.about.longest) {
      this.told(`A walk has ${this.about.longest.toLocaleString("en")} steps at most: save it, or go back.`);
      return;
    }
    const same = this.undone[0] === number ? this.undone.slice(1) : [];
    this.go({ begin: this.place.begin, path }, same);
  }

  back(to) {
    const step = Math.max(0, to), { begin, path } = this.place;
    if (step < path.length) this.go({ begin, path: path.slice(0, step) }, [...path.slice(step), ...this.undone]);
  }

  forward() {
    if (this.undone.length) this.take(this.undone[0]);
  }

  async jump() {
    const words = "Searching \u2026", [claim, here] = [Number(this.claim.value), this.from.value === "here"];
    if (this.busy || this.searching) return;
    this.searching = true;
    this.found.replaceChildren(words);
    try {
      const found = await (await this.ask("jump", { claim, here, ...this.place })).json();
      this.found.replaceChildren(text(found.said));
      if (found.path) await this.go({ begin: found.begin || 0, path: found.path }, []);
    } catch (error) {
      this.found.replaceChildren(text(error.message));
    } finally {
      this.searching = false;
    }
  }

  async save() {
    try {
      const file = await (await this.ask("trace", this.place)).blob(), url = URL.createObjectURL(file);
      const steps = this.place.path.length, name = this.about.name.replace(/[^\w.=-]+/gu, "-");
      element("a", { href: url, download: `${name}-by-hand-${steps}-steps.itf.json` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    } catch (error) {
      this.told(error.message);
    }
  }

  read() {
    const found = /^#(\d{1,15})(?::((?:\d{1,15}\.)*\d{1,15}))?$/.exec(window.location.hash);
    return { begin: found ? Number(found[1]) : 0, path: found && found[2] ? found[2].split(".").map(Number) : [] };
  }

  // ---------------------------------------------------------------- the parts

  top() {
    const settings = this.about.settings.map(([name, value]) => element("span", {}, `${visible(name)} `,
      element("b", {}, text(value))));
    return element("header", {}, element("h1", { id: "title" }, text(this.about.name), ", by hand"),
      settings.length ? element("p", { class: "about" }, ...settings) : null);
  }

  bar() {
    const button = (words, label, act) => element("button", { type: "button", class: "jump", title: label, onclick: act }, words);
    this.buttons = {
      start: button("Start", "To the start (Home)", () => this.back(0)),
      back: button("Back", "A step back (Backspace)", () => this.back(this.place.path.length - 1)),
      forward: button("Forward", "The step that was taken back", () => this.forward()),
      save: button("Save as a trace", "A file that cutproof replay and cutproof view take", () => this.save()),
    };
    this.count = element("span", { class: "count" });
    this.said = element("p", { class: "said" });
    this.call = element("p", { class: "call" });
    this.error = element("p", { class: "error", role: "alert" });
    return element("section", { class: "player", "aria-label": "The walk" },
      element("div", { class: "moves" }, ...Object.values(this.buttons), this.beginning()),
      element("div", { class: "sentence", "aria-live": "polite", "aria-atomic": "true" }, this.count, this.said, this.call),
      this.error);
  }

  // Where a run may begin in several states: which of them.
  beginning() {
    if (this.about.begins < 2) return null;
    this.begin = element("input", { type: "number", id: "begin", min: 1, max: this.about.begins, value: 1, onchange: () => {
      const begin = Math.min(this.about.begins, Math.max(1, Math.floor(Number(this.begin.value)) || 1)) - 1;
      this.go({ begin, path: [] }, []);
    } });
    return element("label", { for: "begin", class: "begin" }, "Begins in state ", this.begin,
      ` of ${this.about.begins.toLocaleString("en")}`);
  }

  body() {
    this.filter = element("input", { type: "search", id: "filter", placeholder: "Filter ( / )", "aria-label": "Filter the steps",
      autocomplete: "off", spellcheck: "false", oninput: () => this.choices() });
    this.many = element("span", { class: "many" });
    this.can = element("div", { class: "doable" });
    this.cannot = this.details("cannot");
    this.lanes = element("div", { class: "lanes-so-far" });
    this.changed = element("ul", { class: "changed" });
    this.broken = element("ul", { class: "broken" });
    this.stands = element("dl", { class: "stands" });
    [this.judged, this.steps, this.state, this.never] = ["judged", "so-far", "state", "never"].map((name) => this.details(name));
    this.coverage = element("p", { class: "coverage" });
    return element("div", { class: "desk" },
      element("section", { class: "steps", "aria-label": "What can be done" },
        element("h2", {}, "What can be done ", this.many), this.filter, this.can, this.cannot),
      this.lanes,
      element("section", { class: "facts", "aria-label": "Here" },
        element("h2", {}, "What changed"), this.changed, this.broken, this.judged, this.jumper(),
        element("h2", {}, "How each stands now"), this.stands, this.state, this.steps,
        element("h2", {}, "Seen so far"), this.coverage, this.never));
  }

  details(name) {
    return element("details", { class: name, ontoggle: () => {
      if (this.here) this.fill();
      if (this.here && name === "cannot") this.impossible();
    } });
  }

  jumper() {
    const options = this.about.claims.map((claim, number) => element("option", { value: number },
      visible(`${claim.name}${claim.harm ? ` (${claim.harm})` : ""}: ${claim.form.replaceAll("_", " ")}`)));
    this.claim = element("select", { id: "claim" }, ...options);
    this.from = element("select", { id: "from" }, element("option", { value: "start" }, "from the start"),
      element("option", { value: "here" }, "from here"));
    this.found = element("p", { class: "found", role: "status" });
    if (!options.length) return null;
    return element("form", { class: "jumper", "aria-label": "Jump to a violation", onsubmit: (event) => {
      event.preventDefault();
      this.jump();
    } }, element("h2", {}, "Jump to a violation"),
    element("label", { for: "claim" }, "of (a ", element("i", {}, "sometimes"), ": to where it is so)"), this.claim,
    element("label", { for: "from", class: "unseen" }, "from where"), this.from,
    element("button", { type: "submit", class: "jump" }, "Jump"), this.found);
  }

  told(words) {
    this.error.replaceChildren(words ? text(words) : "");
  }

  // ---------------------------------------------------------------- what is shown

  called(number) {
    const { action, arguments: of } = this.about.calls[number];
    return `${action}(${of})`;
  }

  show() {
    const { run, seen } = this.here, { begin, path } = this.place, step = run.steps[path.length];
    for (const number of path) this.taken.add(this.about.calls[number].action);
    for (const state of seen) this.seen.add(state);
    history.replaceState(null, "", begin || path.length ? `#${begin}${path.length ? `:${path.join(".")}` : ""}` : "#");
    this.count.textContent = `Step ${path.length}`;
    if (step.fault && step.fault !== "choice") this.count.append(" ", chip(step.fault, "fault"));
    this.said.replaceChildren(text(path.length ? step.sentence || step.call : "At the start."));
    this.call.replaceChildren(text(path.length && step.sentence ? step.call : ""));
    this.buttons.start.disabled = this.buttons.back.disabled = !path.length;
    this.buttons.forward.disabled = !this.undone.length;
    this.buttons.forward.title = this.undone.length ? `Again: ${visible(this.called(this.undone[0]))}` : "No step was taken back";
    if (this.begin) this.begin.value = begin + 1;
    const chart = new Chart(run, (number) => this.back(number));
    chart.now = chart.last();
    this.lanes.replaceChildren(chart.view);
    this.all = { standing: {}, state: {} };
    for (const each of run.steps) for (const part of Object.keys(this.all)) Object.assign(this.all[part], each[part] || {});
    this.choices();
    this.fill();
  }

  // The list of what can be done, and the one of what cannot, as far as the filter goes.
  choices() {
    const focus = document.activeElement, held = !focus || focus === document.body || this.can.contains(focus);
    const words = this.words(), groups = new Map(), { choices, idle } = this.here;
    const all = choices.filter((guard) => guard === ENABLED).length;
    let shown = 0, fitting = 0;
    choices.forEach((guard, number) => {
      if (guard !== ENABLED || !this.fits(number, words)) return;
      fitting += 1;
      if (fitting > FEW) return;
      shown += 1;
      const action = this.about.calls[number].action;
      groups.set(action, [...(groups.get(action) || []), number]);
    });
    const still = new Set(idle);
    this.can.replaceChildren(...[...groups].map(([action, numbers]) => this.group(action, numbers, still)));
    if (fitting > shown) this.can.append(element("p", { class: "many" }, `and ${(fitting - shown).toLocaleString("en")} more: filter them`));
    if (!all) this.can.append(element("p", { class: "nothing" }, "Nothing can be done any more."));
    else if (!fitting) this.can.append(element("p", { class: "nothing" }, "Nothing that can be done has these words."));
    this.many.textContent = words.length ? `${fitting.toLocaleString("en")} of ${all.toLocaleString("en")}` : all.toLocaleString("en");
    this.choose(0, held, false);
    this.impossible();
  }

  words() {
    return this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  }

  fits(number, words) {
    return words.every((word) => this.called(number).toLowerCase().includes(word));
  }

  group(action, numbers, still) {
    const { sentence, kind } = this.about.actions[action];
    const heading = element("h3", {}, text(sentence || action.replaceAll("_", " ")),
      kind ? " " : null, kind ? chip(kind, kind === "choice" ? "choice" : "fault") : null);
    return element("section", { class: "group" }, heading, list("ul", numbers.map((number) =>
      element("button", { type: "button", class: "take", "data-number": number, tabindex: "-1", onclick: () => this.take(number) },
        element("code", {}, text(this.called(number))), still.has(number) ? chip("changes nothing", "choice") : null))));
  }

  impossible() {
    const found = new Map(), words = this.words();
    let many = 0;
    this.here.choices.forEach((guard, number) => {
      if (guard === ENABLED || !this.fits(number, words)) return;
      many += 1;
      const { action } = this.about.calls[number], why = found.get(action) || new Map();
      why.set(guard, [...(why.get(guard) || []), number]);
      found.set(action, why);
    });
    this.list(this.cannot, "What cannot, and why", many, () => [...found].map(([action, why]) => element("section", { class: "group" },
      element("h3", {}, text(action)), ...[...why].map(([guard, numbers]) => element("div", { class: "because" },
        guard === LEAVES ? element("p", {}, "would leave the values that its variable can have")
          : element("p", {}, "\u201c", text(this.about.guards[guard]), "\u201d is false"),
        list("ul", numbers.slice(0, FEW).map((number) => element("code", {}, text(this.called(number))))))))));
  }

  fill() {
    const { run, holds } = this.here, path = this.place.path, step = run.steps[path.length], changes = step.changes || [];
    this.changed.replaceChildren(...(changes.length ? changes : [path.length ? "nothing that is shown" : "nothing yet"])
      .map((line) => element("li", {}, text(line))));
    const claims = this.about.claims.map((claim, number) => ({ ...claim, is: holds[number] }));
    const broken = claims.filter((claim) => claim.form === "always" && !claim.is);
    this.broken.replaceChildren(...broken.map((claim) => element("li", {}, element("b", {}, text(claim.name)), " is false here",
      claim.harm ? ": " : null, claim.harm ? text(claim.harm) : null, claim.sentence ? element("small", {}, text(claim.sentence)) : null)));
    this.list(this.judged, "Properties here", broken.length ? `${broken.length} violated` : "none is violated", () => [
      element("dl", {}, ...claims.map((claim) => element("div", { class: claim.form === "always" && !claim.is ? "bad" : null },
        element("dt", { title: visible(claim.sentence) }, text(claim.name), claim.harm ? " (" : null,
          claim.harm ? text(claim.harm) : null, claim.harm ? ")" : null),
        element("dd", {}, element("i", {}, `${claim.form.replaceAll("_", " ")}: `), (HERE[claim.form] || ["true", "false"])[claim.is ? 0 : 1]))))]);
    this.stands.replaceChildren(...run.lanes.map((lane, number) => {
      const lines = (this.all.standing[number] || []).map(([name, value]) => element("span", {},
        name ? element("i", {}, `${visible(name)} `) : null, text(value)));
      const fresh = path.length && step.standing && step.standing[number];
      return element("div", { class: fresh ? "new" : null }, element("dt", {}, text(lane.name)),
        element("dd", {}, ...(lines.length ? lines : ["\u2013"])));
    }));
    const fields = Object.entries(this.all.state), changed = step.state || {};
    this.list(this.state, "The whole state", fields.length, () => [element("dl", { class: "fields" }, ...fields.map(
      ([name, value]) => element("div", { class: path.length && name in changed ? "new" : null },
        element("dt", {}, text(name)), element("dd", {}, text(value)))))]);
    this.list(this.steps, "Steps so far", path.length, () => [element("ol", {}, ...path.map((number, place) => element("li", {},
      element("button", { type: "button", title: "Go back to where it was taken", onclick: () => this.back(place + 1) },
        element("code", {}, text(this.called(number)))))))]);
    const actions = Object.keys(this.about.actions), never = actions.filter((name) => !this.taken.has(name));
    this.coverage.textContent = `${this.taken.size} of ${actions.length} actions taken; ${this.seen.size.toLocaleString("en")} `
      + `state${this.seen.size === 1 ? "" : "s"} visited.`;
    this.list(this.never, "Never taken so far", never.length, () => [list("ul", never.map((name) => element("code", {}, text(name))))]);
  }

  list(details, words, many, inside) {
    const open = details.open;
    details.replaceChildren(element("summary", {}, words, " ", element("span", { class: "many" }, many.toLocaleString("en"))),
      ...(open ? inside() : []));
  }

  // ---------------------------------------------------------------- the keyboard

  // `show`: scroll to it, the page too; without, only the list goes to its top.
  choose(wanted, focus, show) {
    const all = [...this.can.querySelectorAll(".take")], now = Math.max(0, Math.min(all.length - 1, wanted));
    this.chosen = now;
    all.forEach((button, number) => {
      button.tabIndex = number === now ? 0 : -1;
      button.classList.toggle("chosen", number === now);
    });
    if (!all.length) return;
    if (focus) all[now].focus({ preventScroll: true });
    if (show) all[now].scrollIntoView({ block: "nearest" });
    else this.can.scrollTop = 0;
  }

  pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = event.target, name = at.tagName, typing = at === this.filter;
    if ((name === "INPUT" && !typing) || name === "SELECT") return;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const inChart = at.closest && at.closest(".chart");
    if (event.key in moves && !inChart) {
      const first = typing && event.key === "ArrowDown";
      this.choose(first ? 0 : this.chosen + moves[event.key], true, true);
    } else if (event.key === "Enter" && (typing || name === "BODY")) {
      const button = this.can.querySelector(".take.chosen");
      if (button) button.click();
    } else if (event.key === "Escape" && typing) {
      this.filter.value = "";
      this.choices();
      this.choose(0, true, true);
    } else if (typing) {
      return;
    } else if (event.key === "Backspace") {
      this.back(this.place.path.length - 1);
    } else if (event.key === "Home" && !inChart) {
      this.back(0);
    } else if (event.key === "/") {
      this.filter.focus();
    } else {
      return;
    }
    event.preventDefault();
  }
}

(async function start() {
  const hand = new Hand(JSON.parse(document.getElementById("data").textContent));
  document.getElementById("hand").append(hand.root);
  if (!await hand.go(hand.read(), [])) {
    const words = hand.error.textContent;
    if (await hand.go({ begin: 0, path: [] }, [])) hand.told(`${words} (so this is the start)`);
  }
}());
