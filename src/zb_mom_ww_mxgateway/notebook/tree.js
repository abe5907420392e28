// The Galaxy tree in the browser. One model for the whole tree: what is asked and answered is in tree_messages.py.
// Store: what the kernel has sent, shared by all views of a model. View: one drawing of it. Rows: a list that draws only
// what is in sight. Names of the plant reach the page as text nodes only, never as markup.

const ROW = 26;
const RESULT_ROW = 42;
const OVERSCAN = 6;
const INDENT = 16;
const PATIENCE_MS = 15000;
const SEARCH_DELAY_MS = 250;
const SHOW_DELAY_MS = 120;
const TYPE_AHEAD_MS = 700;
const MAX_CHIPS = 40;
const [ALARM, HISTORY] = [1, 2];
const SILENT = "No answer yet: the kernel is busy or gone";

const ICONS = {
  area: ["M2 13.5V6.8l4 2.6V6.8l4 2.6V2.5h3.5v11z"],
  machine: [
    "M8 5.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8z",
    "M8 1.6v2M8 12.4v2M1.6 8h2M12.4 8h2M3.5 3.5l1.4 1.4M11.1 11.1l1.4 1.4M12.5 3.5l-1.4 1.4M4.9 11.1l-1.4 1.4",
    "M8 3.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8z",
  ],
  engine: ["M4.2 4.2h7.6v7.6H4.2z", "M6.5 6.5h3v3h-3z", "M6 1.8v2.4M10 1.8v2.4M6 11.8v2.4M10 11.8v2.4"
    + "M1.8 6h2.4M1.8 10h2.4M11.8 6h2.4M11.8 10h2.4"],
  platform: ["M2 2.8h12v8H2z", "M5.2 13.6h5.6M8 10.8v2.8"],
  device: ["M5.5 1.8v3M10.5 1.8v3M3.8 4.8h8.4v2.4a4.2 4.2 0 0 1-8.4 0zM8 11.4v2.8"],
  attribute: ["M2.4 2.4h5.2l6 6-5.2 5.2-6-6z", "M5.3 4.5a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6z"],
  alarm: ["M8 1.9A3.9 3.9 0 0 0 4.1 5.8c0 3-1.4 3.9-1.4 4.9h10.6c0-1-1.4-1.9-1.4-4.9A3.9 3.9 0 0 0 8 1.9z",
    "M6.5 12.9a1.6 1.6 0 0 0 3 0"],
  history: ["M2.6 5.4A6 6 0 1 1 2 8.2", "M2.2 2.6v3h3", "M8 4.8V8l2.3 1.6"],
  search: ["M7 2.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8z", "M10.3 10.3 14 14"],
  refresh: ["M13.4 6.3A5.6 5.6 0 1 0 13.6 9", "M13.7 2.8v3.7H10"],
  chevron: ["M6 4l4 4-4 4"],
  close: ["M4.5 4.5l7 7M11.5 4.5l-7 7"],
  check: ["M3.5 8.4l3 3 6-6.6"],
  warning: ["M8 2.2 14.4 13.4H1.6z", "M8 6.4v3.4M8 11.5v.3"],
};

function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

function icon(name, extra = "") {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `mxt-icon mxt-icon-${name} ${extra}`);
  svg.setAttribute("aria-hidden", "true");
  for (const shape of ICONS[name] ?? ICONS.machine) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

function attributeOf([name, reference, type, length, security, marks]) {
  const shown = length === null ? type : `${type} [${length || ""}]`;
  return { name, reference, type: shown, security, alarm: Boolean(marks & ALARM), history: Boolean(marks & HISTORY) };
}

const number = (value) => value.toLocaleString("en-US");

// ---------------------------------------------------------------------------------------------------------------------

class Store {
  constructor(model) {
    this.model = model;
    this.listeners = new Set();
    this.pending = new Map();
    this.lastAsk = 0;
    this.forget();
    this.onMessage = (message) => this.receive(message);
    model.on("msg:custom", this.onMessage);
  }

  close() {
    this.model.off("msg:custom", this.onMessage);
    for (const { timer } of this.pending.values()) clearTimeout(timer);
    this.pending.clear();
  }

  forget() {
    this.nodes = new Map();
    this.levels = new Map();
    this.attributes = new Map();
  }

  changed(what) {
    for (const listener of this.listeners) listener(what);
  }

  receive(message) {
    if (message.type === "reset") {
      this.forget();
      this.changed("reset");
      return;
    }
    const waiting = this.pending.get(message.ask);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.pending.delete(message.ask);
    waiting.resolve(message);
  }

  // The answer, however late; `onSilence` is called when it takes long.
  ask(request, onSilence) {
    // Views in other windows hear the answers too, so the number must not be theirs.
    const ask = `${Math.random().toString(36).slice(2, 8)}-${++this.lastAsk}`;
    return new Promise((resolve) => {
      const timer = setTimeout(onSilence, PATIENCE_MS);
      this.pending.set(ask, { resolve, timer });
      try {
        this.model.send({ ...request, ask });
      } catch (error) {
        this.receive({ ask, type: "error", text: `The kernel cannot be reached: ${error.message}` });
      }
    });
  }

  // Fetch a level; the promise is kept when all of its rows are here, or when that has failed.
  level(id) {
    const known = this.levels.get(id);
    if (known) return known;
    const level = { rows: [], total: 0, state: "loading", error: "" };
    this.levels.set(id, level);
    level.done = this.pull(id, level);
    return level;
  }

  async pull(id, level) {
    do {
      const answer = await this.ask({ type: "rows", id, offset: level.rows.length }, () => {
        Object.assign(level, { state: "error", error: SILENT });
        this.changed("levels");
      });
      // Another attempt, or a refresh, has taken its place.
      if (this.levels.get(id) !== level) return;
      if (answer.type === "error") {
        Object.assign(level, { state: "error", error: answer.text });
      } else {
        for (const [key, name, tag, kind, kids] of answer.rows) {
          level.rows.push(key);
          this.nodes.set(key, { id: key, name, tag: tag || name, kind, kids: Boolean(kids), parent: id });
        }
        level.total = answer.total;
        level.state = answer.rows.length && level.rows.length < answer.total ? "partial" : "ready";
      }
      this.changed("levels");
    } while (level.state === "partial");
  }

  attributesOf(id) {
    const known = this.attributes.get(id);
    if (known) return known;
    const entry = { rows: [], state: "loading", error: "" };
    this.attributes.set(id, entry);
    const silent = () => {
      Object.assign(entry, { state: "error", error: SILENT });
      this.changed("attributes");
    };
    entry.done = this.ask({ type: "attributes", id }, silent).then((answer) => {
      if (answer.type === "error") Object.assign(entry, { state: "error", error: answer.text });
      else Object.assign(entry, { state: "ready", rows: answer.rows.map(attributeOf) });
      this.changed("attributes");
    });
    return entry;
  }

  retryLevel(id) {
    this.levels.delete(id);
    this.level(id);
    this.changed("levels");
  }

  retryAttributes(id) {
    this.attributes.delete(id);
    this.attributesOf(id);
    this.changed("attributes");
  }

  path(id) {
    const nodes = [];
    for (let node = this.nodes.get(id); node; node = this.nodes.get(node.parent)) nodes.unshift(node);
    return nodes;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

// A list with rows of one height that draws what is in sight, and always the active row, which holds the focus.
class Rows {
  constructor(scroller, { height = ROW, fill }) {
    this.scroller = scroller;
    this.height = height;
    this.fill = fill;
    this.items = [];
    this.index = new Map();
    this.drawn = new Map();
    this.active = null;
    this.body = el("div", { class: "mxt-rows", role: "presentation" });
    scroller.append(this.body);
    scroller.addEventListener("scroll", () => this.soon());
    this.resizes = new ResizeObserver(() => this.draw(false));
    this.resizes.observe(scroller);
  }

  close() {
    this.resizes.disconnect();
    cancelAnimationFrame(this.frame);
  }

  soon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw(false));
  }

  set(items) {
    const before = Math.max(0, this.position(this.active));
    this.items = items;
    this.index = new Map(items.map((item, position) => [item.key, position]));
    // A row that has gone (most often "Loading…") leaves the focus to the one in its place.
    if (!this.index.has(this.active)) this.active = items[Math.min(before, items.length - 1)]?.key ?? null;
    this.body.style.height = `${items.length * this.height}px`;
    this.draw(true);
  }

  position(key) {
    return this.index.get(key) ?? -1;
  }

  draw(refill) {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - OVERSCAN);
    const last = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.height) + OVERSCAN);
    const wanted = new Set();
    for (let position = first; position < last; position += 1) wanted.add(position);
    if (this.active !== null) wanted.add(this.position(this.active));
    const positions = [...wanted].filter((position) => position >= 0).sort((a, b) => a - b);
    const keys = new Set(positions.map((position) => this.items[position].key));
    for (const [key, node] of this.drawn) {
      if (!keys.has(key)) {
        node.remove();
        this.drawn.delete(key);
      }
    }
    // Rows that stay keep their order, so none is moved: a moved row would lose the focus.
    let next = this.body.firstChild;
    for (const position of positions) {
      const item = this.items[position];
      let node = this.drawn.get(item.key);
      const isNew = !node;
      if (isNew) {
        node = el("div", { class: "mxt-row" });
        node.style.height = `${this.height}px`;
        node.dataset.key = item.key;
        this.drawn.set(item.key, node);
        this.body.insertBefore(node, next);
      }
      next = node.nextSibling;
      node.style.transform = `translateY(${position * this.height}px)`;
      node.tabIndex = item.key === this.active ? 0 : -1;
      if (isNew || refill) this.fill(node, item, position);
    }
  }

  // Make a row the active one, bring it into sight, and give it the focus.
  activate(key, focus = true) {
    const position = this.position(key);
    if (position < 0) return;
    const before = this.drawn.get(this.active);
    if (before) before.tabIndex = -1;
    this.active = key;
    const top = position * this.height;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.scroller.scrollTop = top + this.height - clientHeight;
    this.draw(false);
    if (focus) this.drawn.get(key)?.focus({ preventScroll: true });
  }

  // The keys that every list has; true when it was one of them.
  key(event) {
    const at = this.position(this.active);
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.height) - 1);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: Infinity };
    if (!(event.key in to) || !this.items.length) return false;
    const position = Math.min(this.items.length - 1, Math.max(0, to[event.key]));
    this.activate(this.items[position].key);
    return true;
  }

  typeAhead(event) {
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return false;
    const now = Date.now();
    const fresh = now - (this.typedAt ?? 0) > TYPE_AHEAD_MS;
    this.typed = (fresh ? "" : this.typed ?? "") + event.key.toLowerCase();
    this.typedAt = now;
    // The same letter again goes on to the next name; a longer text may stay where it is.
    const same = [...this.typed].every((letter) => letter === this.typed[0]);
    const text = same ? this.typed[0] : this.typed;
    const start = this.position(this.active) + (same ? 1 : 0);
    for (let step = 0; step < this.items.length; step += 1) {
      const item = this.items[(start + step) % this.items.length];
      if (item.name?.toLowerCase().startsWith(text)) {
        this.activate(item.key);
        break;
      }
    }
    return true;
  }

  itemOf(event) {
    const node = event.target.closest(".mxt-row");
    return node ? this.items.find((item) => item.key === node.dataset.key) : undefined;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

class View {
  constructor(model, store, root) {
    this.model = model;
    this.store = store;
    this.root = root;
    this.open = new Set();
    this.current = null;
    this.marked = null;
    this.filters = { text: "", alarm: false, history: false };
    this.anchor = null;
    this.build();
    this.listener = (what) => this.onStore(what);
    store.listeners.add(this.listener);
    this.onReferences = () => this.drawSelection();
    this.onHeight = () => this.root.style.setProperty("--mxt-height", `${model.get("height")}px`);
    model.on("change:references", this.onReferences);
    model.on("change:height", this.onHeight);
    this.onHeight();
    store.level(0);
    this.drawTree();
    this.drawAttributes();
    this.drawSelection();
  }

  close() {
    this.store.listeners.delete(this.listener);
    this.model.off("change:references", this.onReferences);
    this.model.off("change:height", this.onHeight);
    clearTimeout(this.searchTimer);
    clearTimeout(this.showTimer);
    for (const rows of [this.tree, this.results, this.list]) rows.close();
  }

  build() {
    this.query = el("input", {
      type: "search", class: "mxt-input", placeholder: "Search objects and attributes, e.g. Pump*.Speed",
      "aria-label": "Search objects and attributes", spellcheck: "false", autocomplete: "off",
      oninput: () => this.searchSoon(), onkeydown: (event) => this.onQueryKey(event),
    });
    const refresh = el("button", {
      type: "button", class: "mxt-button", title: "Fetch the tree anew, for example after a deploy",
      onclick: () => this.refresh(),
    }, icon("refresh"), "Refresh");
    const bar = el("div", { class: "mxt-bar" },
      el("label", { class: "mxt-search" }, icon("search"), this.query), refresh);

    const treeBox = el("div", {
      class: "mxt-scroll mxt-tree", role: "tree", "aria-label": "Galaxy",
      onclick: (event) => this.onTreeClick(event), ondblclick: (event) => this.onTreeDoubleClick(event),
      onkeydown: (event) => this.onTreeKey(event),
    });
    this.tree = new Rows(treeBox, { fill: (node, item) => this.fillTreeRow(node, item) });
    this.treeHead = el("div", { class: "mxt-head" });
    this.treePane = el("div", { class: "mxt-pane" }, this.treeHead, treeBox);

    this.resultsHead = el("div", { class: "mxt-head", role: "status" });
    const resultsBox = el("div", {
      class: "mxt-scroll", role: "listbox", "aria-label": "Search results", "aria-multiselectable": "true",
      onclick: (event) => this.onResultClick(event), onkeydown: (event) => this.onResultKey(event),
    });
    this.results = new Rows(resultsBox, { height: RESULT_ROW, fill: (node, item) => this.fillResult(node, item) });
    this.resultsPane = el("div", { class: "mxt-pane", hidden: true }, this.resultsHead, resultsBox);

    this.title = el("div", { class: "mxt-title" });
    this.filter = el("input", {
      type: "search", class: "mxt-input", placeholder: "Filter attributes", "aria-label": "Filter attributes",
      spellcheck: "false", autocomplete: "off",
      oninput: () => { this.filters.text = this.filter.value.trim().toLowerCase(); this.drawAttributes(); },
    });
    this.toggles = ["alarm", "history"].map((name) => el("button", {
      type: "button", class: "mxt-toggle", "aria-pressed": "false", "data-mark": name,
      title: `Only attributes with ${name === "alarm" ? "an alarm" : "history"}`,
      onclick: (event) => this.onToggle(name, event.currentTarget),
    }, icon(name), name === "alarm" ? "Alarm" : "History"));
    this.all = el("button", {
      type: "button", class: "mxt-all", role: "checkbox", "aria-checked": "false", "aria-label": "Select all shown",
      title: "Select all shown", onclick: () => this.onAll(),
    });
    this.columns = el("div", { class: "mxt-columns", "aria-hidden": "true" },
      el("span"), el("span", {}, "Attribute"), el("span", {}, "Type"),
      el("span", { class: "mxt-security" }, "Security"), el("span", {}, "Marks"));
    const listBox = el("div", {
      class: "mxt-scroll mxt-attributes", role: "listbox", "aria-label": "Attributes", "aria-multiselectable": "true",
      onclick: (event) => this.onAttributeClick(event), ondblclick: (event) => this.onAttributeDoubleClick(event),
      onkeydown: (event) => this.onAttributeKey(event),
    });
    this.list = new Rows(listBox, { fill: (node, item, position) => this.fillAttribute(node, item, position) });
    this.notice = el("div", { class: "mxt-notice" });
    this.tools = el("div", { class: "mxt-tools" },
      this.all, el("label", { class: "mxt-search" }, icon("search"), this.filter), ...this.toggles);
    this.attributePane = el("div", { class: "mxt-pane mxt-right" },
      this.title, this.tools, this.columns, listBox, this.notice);

    this.chips = el("div", { class: "mxt-chips", role: "list", "aria-label": "Selected attributes" });
    this.count = el("span", { class: "mxt-count" });
    this.clear = el("button", { type: "button", class: "mxt-button", onclick: () => this.choose([]) }, "Clear");
    const foot = el("div", { class: "mxt-foot" }, this.count, this.chips, this.clear);
    this.live = el("div", { class: "mxt-live", role: "status", "aria-live": "polite" });

    this.root.classList.add("mxt");
    // A notebook in command mode takes letters for commands: "d d" deletes a cell, "x" cuts it.
    this.root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.root.setAttribute("data-jp-suppress-context-menu", "true");
    this.root.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
      // Any other key ends a text that was being typed.
      if (event.key.length > 1 || event.key === " ") for (const rows of [this.tree, this.list]) rows.typed = "";
    });
    this.root.append(bar, el("div", { class: "mxt-panes" }, this.treePane, this.resultsPane, this.attributePane),
      foot, this.live);
  }

  onStore(what) {
    if (what === "reset") {
      this.store.level(0);
      if (this.current !== null) this.store.attributesOf(this.current);
      this.say("The tree is fetched anew.");
      if (!this.resultsPane.hidden) this.search();
    }
    if (what !== "attributes") this.drawTree();
    if (what !== "levels") this.drawAttributes();
  }

  refresh() {
    try {
      this.model.send({ type: "refresh" });
    } catch (error) {
      this.treeHead.textContent = `The kernel cannot be reached: ${error.message}`;
    }
  }

  say(text) {
    this.live.textContent = text;
  }

  // The tree -----------------------------------------------------------------------------------------------------------

  drawTree() {
    const items = [];
    this.addLevel(items, 0, 1);
    const held = this.tree.scroller.contains(document.activeElement);
    this.tree.set(items);
    const isBusy = items.some((item) => !item.node && !item.error && !item.quiet);
    this.tree.scroller.setAttribute("aria-busy", String(isBusy));
    if (held && !this.tree.scroller.contains(document.activeElement)) this.tree.activate(this.tree.active);
    const top = this.store.levels.get(0);
    this.treeHead.textContent = top && top.state === "ready" ? `Galaxy (${number(top.total)} at the top)` : "Galaxy";
  }

  addLevel(items, id, depth) {
    const level = this.store.level(id);
    for (const [position, key] of level.rows.entries()) {
      const node = this.store.nodes.get(key);
      items.push({ key: `n${key}`, id: key, name: node.name, node, depth, position: position + 1, size: level.total });
      if (node.kids && this.open.has(key)) this.addLevel(items, key, depth + 1);
    }
    const status = { key: `s${id}`, parent: id, depth, position: level.rows.length + 1, size: level.rows.length + 1 };
    if (level.state === "error") items.push({ ...status, error: level.error });
    else if (level.state === "loading") items.push({ ...status, text: "Loading…" });
    else if (level.state === "partial") {
      items.push({ ...status, text: `Loading: ${number(level.rows.length)} of ${number(level.total)}` });
    } else if (!level.total) items.push({ ...status, text: id ? "Nothing below" : "The Galaxy is empty", quiet: true });
  }

  fillTreeRow(node, item) {
    const set = (name, value) => (value === null ? node.removeAttribute(name) : node.setAttribute(name, value));
    set("role", "treeitem");
    set("aria-level", item.depth);
    set("aria-setsize", item.size);
    set("aria-posinset", item.position);
    const indent = el("span", { class: "mxt-indent" });
    indent.style.width = `${(item.depth - 1) * INDENT}px`;
    if (!item.node) {
      set("aria-selected", "false");
      node.classList.add("mxt-status");
      node.classList.toggle("mxt-error", Boolean(item.error));
      const mark = item.error ? icon("warning") : item.quiet ? "" : el("span", { class: "mxt-spinner" });
      const retry = item.error ? el("button", { type: "button", class: "mxt-link", tabindex: "-1" }, "Retry") : null;
      const text = el("span", { class: "mxt-name", title: item.error ?? "" }, item.error ?? item.text);
      node.replaceChildren(indent, el("span", { class: "mxt-twist" }), mark, text, retry ?? "");
      return;
    }
    const opened = item.node.kids && this.open.has(item.id);
    set("aria-expanded", item.node.kids ? opened : null);
    set("aria-selected", item.id === this.current);
    const twist = el("span", { class: `mxt-twist${opened ? " mxt-opened" : ""}` });
    if (item.node.kids) twist.append(icon("chevron"));
    const tag = item.node.tag === item.name ? "" : el("span", { class: "mxt-tag" }, item.node.tag);
    node.title = tag ? `${item.name} (${item.node.tag}), ${item.node.kind}` : `${item.name}, ${item.node.kind}`;
    node.replaceChildren(indent, twist, icon(item.node.kind), el("span", { class: "mxt-name" }, item.name), tag);
  }

  toggle(id, opened = !this.open.has(id)) {
    if (!this.store.nodes.get(id)?.kids || opened === this.open.has(id)) return;
    if (opened) this.open.add(id);
    else this.open.delete(id);
    // One that failed when it was open last gets another chance.
    if (opened && this.store.levels.get(id)?.state === "error") this.store.levels.delete(id);
    this.drawTree();
  }

  show(id, soon = false) {
    if (id === this.current) return;
    this.current = id;
    clearTimeout(this.showTimer);
    this.drawTree();
    // An arrow key that is held down passes many objects: only the one where it stops is asked about.
    this.showTimer = setTimeout(() => {
      const entry = this.store.attributes.get(id);
      if (entry?.state === "error") this.store.attributes.delete(id);
      this.anchor = null;
      this.list.scroller.scrollTop = 0;
      this.list.active = null;
      this.store.attributesOf(id);
      this.drawAttributes();
    }, soon ? SHOW_DELAY_MS : 0);
  }

  onTreeClick(event) {
    const item = this.tree.itemOf(event);
    if (!item) return;
    this.tree.activate(item.key);
    if (item.error) this.store.retryLevel(item.parent);
    if (!item.node) return;
    if (event.target.closest(".mxt-twist")) this.toggle(item.id);
    else this.show(item.id);
  }

  onTreeDoubleClick(event) {
    const item = this.tree.itemOf(event);
    if (item?.node && !event.target.closest(".mxt-twist")) this.toggle(item.id);
  }

  onTreeKey(event) {
    const item = this.tree.items[this.tree.position(this.tree.active)];
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const opened = item.node?.kids && this.open.has(item.id);
    let done = true;
    if (event.key === "ArrowRight" && item.node?.kids) {
      if (opened) this.tree.key({ key: "ArrowDown" });
      else this.toggle(item.id, true);
    } else if (event.key === "ArrowLeft") {
      const parent = item.node ? item.node.parent : item.parent;
      if (opened) this.toggle(item.id, false);
      else this.tree.activate(`n${parent}`);
    } else if (event.key === " ") {
      if (item.node) this.toggle(item.id);
    } else if (event.key === "Enter") {
      if (item.error) this.store.retryLevel(item.parent);
      else if (item.node) this.toAttributes(item.id);
    } else {
      done = this.tree.key(event) || this.tree.typeAhead(event);
    }
    if (!done) return;
    event.preventDefault();
    const now = this.tree.items[this.tree.position(this.tree.active)];
    if (now?.node && event.key !== "Enter") this.show(now.id, true);
  }

  async toAttributes(id) {
    this.show(id);
    await this.store.attributesOf(id).done;
    if (this.current !== id) return;
    this.drawAttributes();
    this.list.activate(this.list.active);
  }

  async reveal(path, reference) {
    for (const [position, id] of path.slice(0, -1).entries()) {
      this.open.add(id);
      await this.store.level(position ? path[position - 1] : 0).done;
    }
    const last = path[path.length - 1];
    await this.store.level(path.length > 1 ? path[path.length - 2] : 0).done;
    this.drawTree();
    if (!this.store.nodes.has(last)) {
      this.say("It is not in the Galaxy any more: refresh the tree.");
      return;
    }
    this.tree.activate(`n${last}`);
    this.marked = reference ?? null;
    this.show(last);
    if (!reference) return;
    this.resetFilters();
    await this.store.attributesOf(last).done;
    this.drawAttributes();
    this.list.activate(`a${reference}`);
  }

  // Search -------------------------------------------------------------------------------------------------------------

  searchSoon() {
    clearTimeout(this.searchTimer);
    this.searchTimer = setTimeout(() => this.search(), SEARCH_DELAY_MS);
  }

  async search() {
    clearTimeout(this.searchTimer);
    const text = this.query.value.trim();
    this.resultsPane.hidden = !text;
    this.treePane.hidden = Boolean(text);
    if (!text) {
      this.results.set([]);
      // What was hidden has forgotten where it was scrolled to.
      this.tree.activate(this.tree.active, false);
      return;
    }
    this.resultsHead.replaceChildren(el("span", { class: "mxt-spinner" }), `Searching for “${text}”`);
    const answer = await this.store.ask({ type: "search", text }, () => this.searchFailed(text, SILENT));
    if (this.query.value.trim() !== text) return;
    if (answer.type === "error") {
      this.searchFailed(text, answer.text);
      return;
    }
    const found = answer.found.map(({ object, attribute, path, names }, position) => {
      const [id, name, tag, kind] = object;
      const own = attribute ? attributeOf(attribute) : null;
      return { key: `r${position}`, id, name: own ? own.reference : name, tag: tag || name, kind, path, names,
        attribute: own };
    });
    const many = `${number(found.length)} ${found.length === 1 ? "result" : "results"}`;
    this.resultsHead.textContent = found.length ? answer.note || many : `Nothing is called “${text}”`;
    this.results.active = null;
    this.results.scroller.scrollTop = 0;
    this.results.set(found);
  }

  searchFailed(text, reason) {
    if (this.query.value.trim() !== text) return;
    this.results.set([]);
    const retry = el("button", { type: "button", class: "mxt-link", onclick: () => this.search() }, "Retry");
    this.resultsHead.replaceChildren(icon("warning"), el("span", { class: "mxt-name", title: reason }, reason), retry);
  }

  fillResult(node, item) {
    const chosen = item.attribute && this.chosen.has(item.attribute.reference);
    node.setAttribute("role", "option");
    node.setAttribute("aria-selected", String(Boolean(chosen)));
    const box = item.attribute ? this.box(chosen) : el("span", { class: "mxt-nobox" });
    const where = item.names.slice(0, -1).join(" › ");
    const what = item.attribute ? item.attribute.type : item.tag === item.name ? item.kind : `${item.tag}, ${item.kind}`;
    const text = el("span", { class: "mxt-two" },
      el("span", { class: "mxt-name" }, ...this.marking(item.name)),
      el("span", { class: "mxt-tag" }, [where, what].filter(Boolean).join("  ·  ")));
    node.title = item.name;
    node.replaceChildren(box, icon(item.attribute ? "attribute" : item.kind), text,
      ...(item.attribute ? this.marks(item.attribute) : []));
  }

  // The name with the part that was searched for in bold.
  marking(name) {
    const wanted = this.query.value.trim().toLowerCase();
    const at = name.toLowerCase().indexOf(wanted);
    if (at < 0 || !wanted) return [name];
    const end = at + wanted.length;
    return [name.slice(0, at), el("b", {}, name.slice(at, end)), name.slice(end)];
  }

  onQueryKey(event) {
    if (event.key === "ArrowDown" && this.results.items.length) this.results.activate(this.results.active);
    else if (event.key === "Enter") this.search();
    else if (event.key === "Escape" && this.query.value) {
      this.query.value = "";
      this.search();
    } else return;
    event.preventDefault();
  }

  onResultClick(event) {
    const item = this.results.itemOf(event);
    if (!item) return;
    this.results.activate(item.key);
    if (item.attribute && event.target.closest(".mxt-box")) this.flip(item.attribute.reference);
    else this.go(item);
  }

  onResultKey(event) {
    const item = this.results.items[this.results.position(this.results.active)];
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") this.go(item);
    else if (event.key === " " && item.attribute) this.flip(item.attribute.reference);
    else if (event.key === "Escape" || (event.key === "ArrowUp" && item === this.results.items[0])) this.query.focus();
    else if (!this.results.key(event)) return;
    event.preventDefault();
  }

  go(item) {
    this.query.value = "";
    this.search();
    this.reveal(item.path, item.attribute?.reference);
  }

  // Attributes ---------------------------------------------------------------------------------------------------------

  resetFilters() {
    this.filters = { text: "", alarm: false, history: false };
    this.filter.value = "";
    for (const button of this.toggles) button.setAttribute("aria-pressed", "false");
  }

  shown() {
    const { text, alarm, history } = this.filters;
    const rows = this.store.attributes.get(this.current)?.rows ?? [];
    return rows.filter((row) => (!alarm || row.alarm) && (!history || row.history)
      && (!text || row.name.toLowerCase().includes(text) || row.type.toLowerCase().includes(text)));
  }

  drawAttributes() {
    const entry = this.current === null ? null : this.store.attributes.get(this.current);
    const path = this.current === null ? [] : this.store.path(this.current);
    const node = path[path.length - 1];
    this.attributePane.classList.toggle("mxt-blank", !entry || entry.state !== "ready" || !entry.rows.length);
    if (node) {
      const where = path.slice(0, -1).map((step) => step.name).join(" › ");
      const tag = node.tag === node.name ? "" : el("span", { class: "mxt-tag" }, node.tag);
      this.title.replaceChildren(icon(node.kind), el("span", { class: "mxt-name" }, node.name), tag,
        el("span", { class: "mxt-where", title: where }, where));
    } else {
      this.title.replaceChildren("Attributes");
    }
    const rows = entry?.state === "ready" ? this.shown() : [];
    this.list.set(rows.map((row) => ({ ...row, key: `a${row.reference}` })));
    this.notice.replaceChildren(...this.noticeOf(entry, rows));
    this.notice.hidden = !this.notice.hasChildNodes();
    this.drawAll();
  }

  noticeOf(entry, rows) {
    if (this.current === null) {
      return [icon("attribute"), el("span", {}, "Choose an object to see its attributes")];
    }
    if (!entry || entry.state === "loading") return [el("span", { class: "mxt-spinner" }), "Loading attributes…"];
    if (entry.state === "error") {
      const retry = () => this.store.retryAttributes(this.current);
      return [icon("warning"), el("span", { class: "mxt-wrap" }, entry.error),
        el("button", { type: "button", class: "mxt-button", onclick: retry }, "Retry")];
    }
    if (!entry.rows.length) return ["This object has no attributes"];
    return rows.length ? [] : ["No attribute passes the filter"];
  }

  drawAll() {
    const rows = this.list.items;
    const chosen = rows.filter((row) => this.chosen.has(row.reference)).length;
    const state = !chosen ? "false" : chosen === rows.length ? "true" : "mixed";
    this.all.setAttribute("aria-checked", state);
    this.all.replaceChildren(this.box(state === "true", state === "mixed"));
  }

  box(checked, mixed = false) {
    const box = el("span", { class: `mxt-box${checked ? " mxt-on" : ""}${mixed ? " mxt-mixed" : ""}` });
    if (checked) box.append(icon("check"));
    return box;
  }

  marks(row) {
    return [
      row.alarm ? el("span", { class: "mxt-mark mxt-alarm" }, icon("alarm"), "Alarm") : null,
      row.history ? el("span", { class: "mxt-mark mxt-history" }, icon("history"), "History") : null,
    ].filter(Boolean);
  }

  fillAttribute(node, item, position) {
    const chosen = this.chosen.has(item.reference);
    const set = (name, value) => node.setAttribute(name, value);
    set("role", "option");
    set("aria-selected", String(chosen));
    set("aria-setsize", this.list.items.length);
    set("aria-posinset", position + 1);
    node.classList.toggle("mxt-found", item.reference === this.marked);
    node.title = item.reference;
    node.replaceChildren(this.box(chosen), el("span", { class: "mxt-cell mxt-name" }, item.name),
      el("span", { class: "mxt-cell mxt-type" }, item.type),
      el("span", { class: "mxt-cell mxt-security" }, item.security),
      el("span", { class: "mxt-cell mxt-marks" }, ...this.marks(item)));
  }

  onToggle(name, button) {
    this.filters[name] = !this.filters[name];
    button.setAttribute("aria-pressed", String(this.filters[name]));
    this.drawAttributes();
  }

  onAll() {
    const shown = this.list.items.map((row) => row.reference);
    const all = shown.every((reference) => this.chosen.has(reference));
    if (all) this.choose(this.references.filter((reference) => !shown.includes(reference)));
    else this.add(shown);
  }

  onAttributeClick(event) {
    const item = this.list.itemOf(event);
    if (!item) return;
    this.list.activate(item.key);
    if (event.shiftKey && this.anchor !== null && this.list.position(this.anchor) >= 0) {
      const ends = [this.list.position(this.anchor), this.list.position(item.key)].sort((a, b) => a - b);
      this.add(this.list.items.slice(ends[0], ends[1] + 1).map((row) => row.reference));
    } else if (event.target.closest(".mxt-box")) {
      this.flip(item.reference);
    }
    this.anchor = item.key;
  }

  onAttributeDoubleClick(event) {
    const item = this.list.itemOf(event);
    if (item && !event.target.closest(".mxt-box")) this.add([item.reference]);
  }

  onAttributeKey(event) {
    const item = this.list.items[this.list.position(this.list.active)];
    if (!item || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== "a") return;
      this.add(this.list.items.map((row) => row.reference));
    } else if (event.key === " ") this.flip(item.reference);
    else if (event.key === "Enter") this.add([item.reference]);
    else if (event.key === "ArrowLeft" || event.key === "Escape") this.tree.activate(`n${this.current}`);
    else if (!this.list.key(event) && !this.list.typeAhead(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // What is chosen -----------------------------------------------------------------------------------------------------

  get references() {
    return this.model.get("references") ?? [];
  }

  get chosen() {
    if (this.chosenOf !== this.references) {
      this.chosenOf = this.references;
      this.chosenSet = new Set(this.references);
    }
    return this.chosenSet;
  }

  choose(references) {
    this.model.set("references", references);
    this.model.save_changes();
    this.say(`${number(references.length)} selected`);
  }

  add(references) {
    const more = references.filter((reference) => !this.chosen.has(reference));
    if (more.length) this.choose([...this.references, ...more]);
  }

  flip(reference) {
    if (this.chosen.has(reference)) this.choose(this.references.filter((other) => other !== reference));
    else this.add([reference]);
  }

  drawSelection() {
    const { references } = this;
    this.count.textContent = references.length ? `${number(references.length)} selected` : "Nothing selected";
    this.chips.replaceChildren(...references.slice(0, MAX_CHIPS).map((reference) => el("span",
      { class: "mxt-chip", role: "listitem", title: reference }, el("span", { class: "mxt-name" }, reference),
      el("button", { type: "button", "aria-label": `Remove ${reference}`, onclick: () => this.flip(reference) },
        icon("close")))));
    if (references.length > MAX_CHIPS) {
      this.chips.append(el("span", { class: "mxt-tag" }, `and ${number(references.length - MAX_CHIPS)} more`));
    }
    this.clear.disabled = !references.length;
    this.list.draw(true);
    this.results.draw(true);
    this.drawAll();
  }
}

// Called once for every model, whose views share what was fetched.
export default () => {
  let store;
  return {
    initialize({ model }) {
      store = new Store(model);
      return () => store.close();
    },
    render({ model, el: host }) {
      const root = document.createElement("div");
      host.classList.add("mxt-host");
      host.append(root);
      const view = new View(model, store, root);
      return () => view.close();
    },
  };
};
