// The active alarms, with a form to acknowledge one. One view of the model's trait `view`.

function render({ model, el }) {
  const root = make("div", "mxl mxl-alarms");
  const bar = make("div", "mxl-bar");
  const title = make("strong", "mxl-title");
  const pill = statePill();
  bar.append(title, pill);
  const banner = make("div", "mxl-banner");
  const outcomes = make("div", "mxl-outcomes");
  outcomes.setAttribute("role", "log");

  const form = make("form", "mxl-form");
  form.hidden = true;
  const asked = make("div", "mxl-asked");
  const comment = make("input", "mxl-input");
  comment.type = "text";
  comment.maxLength = 200;
  comment.placeholder = "Comment, for the alarm record";
  comment.setAttribute("aria-label", "Comment");
  const operator = make("input", "mxl-input mxl-operator");
  operator.type = "text";
  operator.maxLength = 80;
  operator.placeholder = "Operator";
  operator.setAttribute("aria-label", "Operator");
  const send = make("button", "mxl-button mxl-primary", "Acknowledge");
  send.type = "submit";
  const cancel = make("button", "mxl-button", "Cancel");
  cancel.type = "button";
  const fields = make("div", "mxl-fields");
  fields.append(comment, operator, send, cancel);
  form.append(asked, fields);

  const table = tableOf(
    [
      ["Severity", ""],
      ["State", ""],
      ["Area", ""],
      ["Alarm", ""],
      ["Raised", ""],
      ["Value", "mxl-number"],
      ["Operator and comment", ""],
      ["", ""],
    ],
    "Active alarms",
  );
  table.tHead.rows[0].lastElementChild.append(make("span", "mxl-hidden", "Acknowledge"));
  const scroll = make("div", "mxl-scroll");
  const nothing = make("div", "mxl-nothing");
  scroll.append(table, nothing);
  root.append(bar, banner, outcomes, form, scroll);
  el.append(root);

  let open = null;

  const ask = (reference) => {
    open = reference;
    form.hidden = false;
    setText(asked, `Acknowledge ${reference}`);
    comment.value = "";
    if (!operator.value) operator.value = model.get("view").operator ?? "";
    comment.focus();
  };
  const leave = () => {
    open = null;
    form.hidden = true;
  };
  cancel.addEventListener("click", leave);
  form.addEventListener("keydown", (event) => {
    // The notebook has shortcuts of its own on these keys.
    event.stopPropagation();
    if (event.key === "Escape") leave();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    model.send({ type: "acknowledge", reference: open, comment: comment.value, operator: operator.value });
    leave();
  });

  const create = (item) => {
    const row = make("tr");
    const severity = make("td");
    severity.append(make("span", "mxl-chip"));
    const alarm = make("td", "mxl-alarm");
    alarm.append(make("div", "mxl-reference"), make("div", "mxl-dim"));
    const act = make("td", "mxl-act");
    const button = make("button", "mxl-button", "Acknowledge…");
    button.type = "button";
    button.setAttribute("aria-label", `Acknowledge ${item.reference}`);
    button.addEventListener("click", () => ask(item.reference));
    act.append(button);
    // A long reference may break behind a dot, and nowhere else.
    for (const part of item.reference.split(/(?<=\.)/)) alarm.firstElementChild.append(part, make("wbr"));
    const raised = make("td", "mxl-time");
    const value = make("td", "mxl-number");
    for (const cell of [raised, value]) cell.append(make("div"), make("div", "mxl-dim"));
    row.append(severity, make("td", "mxl-condition"), make("td"), alarm, raised, value, make("td", "mxl-comment"), act);
    return row;
  };

  const fill = (row, item) => {
    const view = model.get("view");
    const [severity, state, area, alarm, raised, value, who, act] = row.cells;
    setClass(row, item.state === "active" ? "mxl-open" : "mxl-done");
    setText(severity.firstElementChild, `${item.word} ${item.severity}`);
    setClass(severity.firstElementChild, `mxl-chip mxl-${item.word}`);
    setText(state, item.waiting ? "acknowledging…" : item.state);
    setText(area, item.area);
    setText(alarm.lastElementChild, [item.type, item.description].filter(Boolean).join(" · "));
    const [date, time] = item.raised.split(" ");
    setText(raised.firstElementChild, time);
    setText(raised.lastElementChild, date);
    setText(value.firstElementChild, item.value);
    setText(value.lastElementChild, item.limit ? `limit ${item.limit}` : "");
    setText(who, [item.operator, item.comment].filter(Boolean).join(": "));
    const button = act.firstElementChild;
    button.hidden = item.state !== "active";
    button.disabled = Boolean(view.reason) || item.waiting;
    button.title = view.reason || "";
  };

  const update = () => {
    const view = model.get("view");
    const rows = view.rows ?? [];
    setText(title, `${view.active ?? 0} active, ${view.unacknowledged ?? 0} not acknowledged`);
    setClass(banner, view.degraded ? "mxl-banner mxl-warning" : "mxl-banner");
    const notes = [view.provider, view.reason && `acknowledging is off: ${view.reason}`, `times in ${view.tz}`];
    setText(banner, notes.filter(Boolean).join(" · "));
    patchRows(outcomes, view.outcomes ?? [], (outcome) => String(outcome.number), () => make("div"), (line, outcome) => {
      setText(line, outcome.text);
      setClass(line, outcome.ok ? "mxl-ok" : "mxl-refused");
    });
    patchRows(table.tBodies[0], rows, (row) => row.reference, create, fill);
    table.hidden = rows.length === 0;
    nothing.hidden = rows.length > 0 && !view.hidden;
    setText(nothing, view.hidden ? `and ${view.hidden} more` : view.live ? "No alarm is active." : "No alarm to show.");
    if (open) {
      // Not closed by itself: somebody is writing in it.
      const still = rows.some((row) => row.reference === open && row.state === "active");
      setText(asked, still ? `Acknowledge ${open}` : `${open} is not active any more, or has been acknowledged`);
      send.disabled = !still;
    }
  };

  return follow(model, pill, update);
}

export default { render };
