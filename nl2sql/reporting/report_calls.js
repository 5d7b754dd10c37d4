// What models were asked for a question. Stands between report_sql.js and report.js in the page's one script.

const FIELDS_OF_CALL = ["role", "generator", "prompt", "model", "asked", "sample", "input", "cached", "output", "thinking", "dollars", "seconds", "outcome",
  "earlier", "again", "error"];
const NAMES_OF_CALL = ["role", "generator", "prompt", "model", "asked", "outcome"];

function unpackCalls(calls) {
  return calls.map((values) => {
    const c = Object.fromEntries(FIELDS_OF_CALL.map((name, n) => [name, values[n]]));
    for (const name of NAMES_OF_CALL) c[name] = index.names[c[name]];
    return c;
  });
}

// As `money` in shares.py: cents, and two significant digits of less than a dollar.
function money(dollars) {
  const size = Math.abs(dollars);
  const digits = size > 0 && size < 1 ? Math.min(8, Math.max(2, 1 - Math.floor(Math.log10(size)))) : 2;
  return `$${dollars.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

function callRow(c) {
  const what = [c.generator, c.prompt, c.sample > 0 && `sample ${c.sample + 1}`, c.again && "asked again"].filter(Boolean).join(" · ");
  const tokens = (n, part, word) => [n.toLocaleString("en"), part > 0 && h("small", {}, ` ${part.toLocaleString("en")} ${word}`)];
  const outcome = [spaced(c.outcome), c.earlier && "paid before", c.model !== c.asked && `instead of ${c.asked}`].filter(Boolean).join(", ");
  return h("tr", {}, h("td", {}, c.role), h("td", {}, what), h("td", {}, c.model),
    h("td", { class: "num" }, tokens(c.input, c.cached, "cached")), h("td", { class: "num" }, tokens(c.output, c.thinking, "thinking")),
    h("td", { class: "num" }, money(c.dollars)), h("td", { class: "num" }, `${c.seconds.toFixed(1)} s`),
    h("td", { class: c.outcome === "ok" ? "" : "error" }, outcome, c.error && h("small", {}, ` ${c.error}`)));
}

function callsSection(t) {
  if (!t.calls.length) return null;
  const heads = [["operation"], ["what"], ["model"], ["tokens in", "num"], ["tokens out", "num"], ["dollars", "num"], ["time", "num"], ["outcome"]];
  const earlier = t.calls.filter((c) => c.earlier).length;
  const said = [money(t.calls.reduce((sum, c) => sum + c.dollars, 0)), plural(t.callsTotal, "call"), earlier > 0 && `${earlier} paid before`,
    t.callsTotal > t.calls.length && `the first ${t.calls.length} shown and counted`].filter(Boolean).join(" · ");
  return section("Model calls", h("p", { class: "aside-note" }, said),
    h("div", { class: "scroll" }, h("table", { class: "calls" }, h("thead", {}, h("tr", {}, heads.map(([name, kind]) => h("th", { scope: "col", class: kind || "" }, name)))),
      h("tbody", {}, t.calls.map(callRow)))));
}
