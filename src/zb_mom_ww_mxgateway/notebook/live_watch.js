// Tags with their values, and trends of the last minutes. One view of the model's trait `view`.

const SPARK = { width: 150, height: 26 };
const CHART = { height: 150, left: 58, right: 12, top: 10, bottom: 22 };

function scaleOf(trend) {
  const numbers = trend.v.filter((number) => number !== null);
  let low = trend.flag ? 0 : Math.min(...numbers);
  let high = trend.flag ? 1 : Math.max(...numbers);
  // A flat line belongs in the middle, and the noise of a float is flat.
  const least = Math.max(Math.abs(high) * 1e-3, 1e-9);
  if (high - low < least) {
    low -= least;
    high += least;
  }
  return { low, high };
}

// Values hold until the next one: a path of steps, broken where there is no good value.
function pathOf(trend, x, y) {
  let path = "";
  let last = null;
  trend.t.forEach((at, index) => {
    const value = trend.v[index];
    if (value === null) {
      if (last !== null) path += `H${x(at)}`;
    } else if (last === null) path += `M${x(at)} ${y(value)}`;
    else path += `H${x(at)}V${y(value)}`;
    last = value;
  });
  return path;
}

function ago(seconds) {
  if (seconds === undefined) return "";
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  if (seconds < 6000) return `${Math.round(seconds)} s`;
  return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / 86400)} d`;
}

function shortNumber(number) {
  const size = Math.abs(number);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return number.toExponential(1);
  return String(Number(number.toPrecision(4)));
}

// Round numbers that lie between two others.
function ticksOf(low, high) {
  const rough = (high - low) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((each) => each >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-6; tick += step) ticks.push(tick);
  return ticks;
}

function spark(svg, trend, seconds) {
  svg.replaceChildren();
  if (!trend) return;
  const { low, high } = scaleOf(trend);
  const x = (at) => (((at + seconds) / seconds) * (SPARK.width - 4)).toFixed(1);
  const y = (value) => (SPARK.height - 3 - ((value - low) / (high - low)) * (SPARK.height - 6)).toFixed(1);
  svg.append(draw("path", { d: pathOf(trend, x, y), class: "mxl-line" }));
  const value = trend.v.at(-1);
  if (value !== null) svg.append(draw("circle", { cx: x(0), cy: y(value), r: 2.2, class: "mxl-now" }));
}

function chart(svg, name, trend, minutes) {
  svg.replaceChildren();
  // Drawn as wide as it is shown, so that letters and lines keep their size.
  const width = Math.max(360, Math.round(svg.clientWidth));
  svg.setAttribute("viewBox", `0 0 ${width} ${CHART.height}`);
  svg.setAttribute("aria-label", trend ? `${name}, the last ${minutes} minutes` : `${name}: no numbers to draw`);
  const seconds = minutes * 60;
  const right = width - CHART.right;
  const bottom = CHART.height - CHART.bottom;
  const x = (at) => (CHART.left + ((at + seconds) / seconds) * (right - CHART.left)).toFixed(1);
  for (let part = 0; part <= 5; part += 1) {
    const back = (minutes * (5 - part)) / 5;
    const label = draw("text", { x: x(-back * 60), y: CHART.height - 6, class: "mxl-tick" });
    label.setAttribute("text-anchor", part === 0 ? "start" : part === 5 ? "end" : "middle");
    label.textContent = part === 5 ? "now" : `−${Number(back.toFixed(1))} min`;
    svg.append(label);
  }
  if (!trend) {
    const text = draw("text", { x: width / 2, y: CHART.height / 2, class: "mxl-tick", "text-anchor": "middle" });
    text.textContent = "no numbers to draw";
    svg.append(text);
    return;
  }
  const { low, high } = scaleOf(trend);
  const y = (value) => (bottom - ((value - low) / (high - low)) * (bottom - CHART.top)).toFixed(1);
  for (const value of trend.flag ? [0, 1] : ticksOf(low, high)) {
    svg.append(draw("line", { x1: CHART.left, x2: right, y1: y(value), y2: y(value), class: "mxl-grid" }));
    const label = draw("text", { x: CHART.left - 6, y: Number(y(value)) + 4, class: "mxl-tick", "text-anchor": "end" });
    label.textContent = trend.flag ? (value ? "true" : "false") : shortNumber(value);
    svg.append(label);
  }
  svg.append(draw("path", { d: pathOf(trend, x, y), class: "mxl-line mxl-big" }));
}

function render({ model, el }) {
  const root = make("div", "mxl mxl-watch");
  const bar = make("div", "mxl-bar");
  const title = make("strong", "mxl-title");
  const pill = statePill();
  bar.append(title, pill);

  const table = tableOf(
    [
      ["Tag", ""],
      ["Value", "mxl-number"],
      ["Quality", ""],
      ["Age", "mxl-number"],
      ["Trend", ""],
    ],
    "Watched tags",
  );
  const scroll = make("div", "mxl-scroll");
  scroll.append(table);
  const figure = make("div", "mxl-figure");
  const name = make("div", "mxl-figure-name");
  const large = draw("svg", { role: "img", class: "mxl-chart" });
  figure.append(name, large);
  root.append(bar, scroll, figure);
  el.append(root);

  let chosen = null;
  let drawn = null;

  const create = (item) => {
    const row = make("tr");
    const tag = make("th");
    tag.scope = "row";
    const button = make("button", "mxl-tag", item.tag);
    button.type = "button";
    button.title = `show the trend of ${item.tag}`;
    button.addEventListener("click", () => {
      chosen = item.tag;
      update();
    });
    tag.append(button);
    const quality = make("td");
    quality.append(make("span", "mxl-chip"));
    const trend = make("td", "mxl-spark");
    trend.append(draw("svg", { viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" }));
    row.append(tag, make("td", "mxl-number mxl-value"), quality, make("td", "mxl-number mxl-dim"), trend);
    return row;
  };

  const update = () => {
    const view = model.get("view");
    const rows = view.rows ?? [];
    const trends = view.trends ?? {};
    const seconds = view.minutes * 60;
    if (!rows.some((row) => row.tag === chosen)) chosen = null;
    // A curve tells more than a line of yes and no.
    const first = rows.find((row) => trends[row.tag]?.flag === false) ?? rows.find((row) => trends[row.tag]) ?? rows[0];
    const current = chosen ?? first?.tag;
    setText(title, `Watching ${rows.length} ${rows.length === 1 ? "tag" : "tags"}`);
    setText(table.tHead.rows[0].cells[4], `Last ${view.minutes} min`);
    const stamp = JSON.stringify([current, trends]);
    const redraw = stamp !== drawn;
    drawn = stamp;
    patchRows(table.tBodies[0], rows, (row) => row.tag, create, (row, item) => {
      const [tag, value, quality, age, trend] = row.cells;
      tag.firstElementChild.setAttribute("aria-pressed", String(item.tag === current));
      setClass(row, item.tag === current ? "mxl-chosen" : "");
      setText(value, item.value);
      setText(quality.firstElementChild, item.quality);
      setClass(quality.firstElementChild, `mxl-chip mxl-${item.kind}`);
      setText(age, ago(item.age));
      age.title = item.time ?? "";
      if (redraw) spark(trend.firstElementChild, trends[item.tag], seconds);
    });
    if (redraw && current) {
      setText(name, current);
      chart(large, current, trends[current], view.minutes);
    }
  };

  const stop = follow(model, pill, update);
  const resized = new ResizeObserver(() => {
    drawn = null;
    update();
  });
  resized.observe(figure);
  return () => {
    resized.disconnect();
    stop();
  };
}

export default { render };
