// What the live views share; put before the module of each.

const STALE_SECONDS = 5;
const SVG = "http://www.w3.org/2000/svg";

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// Text nodes that stay the same are left alone, so that a selection, a focus and a screen reader are.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setClass(element, className) {
  if (element.className !== className) element.className = className;
}

// One row per item, kept by its key: what is there is filled anew, in the order of the items.
function patchRows(body, items, key, create, fill) {
  const known = new Map();
  for (const row of [...body.children]) known.set(row.dataset.key, row);
  let place = body.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let row = known.get(name);
    if (row) known.delete(name);
    else {
      row = create(item);
      row.dataset.key = name;
    }
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
    fill(row, item);
  }
  for (const row of known.values()) row.remove();
}

// Tells the kernel whether anybody looks, and the view when the kernel has fallen silent.
function follow(model, pill, update) {
  let heard = performance.now();
  // A view that was saved with the notebook is old until the kernel says something.
  let fresh = false;
  const show = () => {
    const view = model.get("view");
    const silent = (performance.now() - heard) / 1000;
    let state = view.live ? "live" : view.closed ? "ended" : "trouble";
    let text = view.state || "connecting";
    if (!view.closed && silent > STALE_SECONDS) {
      state = "trouble";
      text = fresh
        ? `no news from the kernel for ${Math.round(silent)} s: what you see is old`
        : "the kernel does not answer: what you see was saved with the notebook";
    }
    if (text === "connecting") state = "waiting";
    setClass(pill, `mxl-state mxl-${state}`);
    setText(pill.lastElementChild, text);
  };
  const changed = () => {
    heard = performance.now();
    fresh = true;
    update();
    show();
  };
  model.on("change:view", changed);
  const timer = setInterval(show, 1000);
  model.send({ type: "shown" });
  update();
  show();
  return () => {
    clearInterval(timer);
    model.off("change:view", changed);
    model.send({ type: "gone" });
  };
}

function statePill() {
  const pill = make("span", "mxl-state mxl-waiting");
  pill.setAttribute("role", "status");
  pill.append(make("span", "mxl-dot"), make("span", "mxl-state-text"));
  return pill;
}

function tableOf(names, caption) {
  const table = make("table", "mxl-table");
  table.append(make("caption", "mxl-hidden", caption));
  const head = make("tr");
  for (const [name, className] of names) {
    const cell = make("th", className, name);
    cell.scope = "col";
    head.append(cell);
  }
  table.append(make("thead"), make("tbody"));
  table.tHead.append(head);
  return table;
}
