// Everything that came from the run is put on the page through text nodes: nothing of it is ever parsed as HTML.

const COLUMNS_OF_QUESTION = ["id", "db", "difficulty", "status", "reason", "path", "confidence", "candidates", "right",
  "voted", "question", "evidence", "sql", "gold", "flag"];
const STATUS = {
  right: ["✓", "right"],
  missed: ["◐", "missed"],
  wrong: ["✕", "wrong"],
  unanswered: ["–", "no answer"],
};
const STATUS_LONG = {
  right: "Right",
  missed: "Right candidate, not selected",
  wrong: "No right candidate",
  unanswered: "No answer",
};
const DIFFICULTIES = ["simple", "moderate", "challenging", "easy", "medium", "hard", "extra"];
const FILTERS = ["status", "db", "difficulty", "path", "reason", "flag"];
const SORTS = {
  given: "as given", "-status": "wrong first", id: "id", db: "database", difficulty: "difficulty", confidence: "least confident",
  "-confidence": "most confident", share: "fewest right", "-share": "most right",
};
const PAGE = 100;
const BEST = 8; // matches shown before one asks for more
const LARGE_POOL = 12; // candidates; beyond that each result shows one statement and folds the others

const $ = (id) => document.getElementById(id);
const index = JSON.parse($("index").textContent);
const questions = index.questions.map((values, place) => {
  const q = Object.fromEntries(COLUMNS_OF_QUESTION.map((name, n) => [name, values[n]]));
  q.place = place;
  q.share = q.candidates ? q.right / q.candidates : -1;
  return q;
});
const byId = new Map(questions.map((q) => [q.id, q]));
let state = {};
let shown = [];
let limit = PAGE;

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

const spaced = (text) => text.replaceAll("_", " ");
const plural = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
const badge = (status) => h("span", { class: `badge ${status}` }, `${STATUS[status][0]} ${STATUS[status][1]}`);
const columnName = (number) => index.columns[number].join(".");

// --- state in the address ------------------------------------------------------------------------------------------

function readState() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const read = {};
  for (const name of ["q", "sort", "open", ...FILTERS]) if (parameters.get(name)) read[name] = parameters.get(name);
  return read;
}

function writeState(changes, push) {
  state = { ...state, ...changes };
  for (const name of Object.keys(state)) if (!state[name]) delete state[name];
  const hash = new URLSearchParams(state).toString();
  try {
    history[push ? "pushState" : "replaceState"](null, "", hash ? `#${hash}` : "#");
  } catch {
    // Safari refuses after 100 changes in 30 seconds; the page follows all the same.
  }
  apply();
}

function followAddress() {
  // '#questions' and the like are places on the page, not states.
  if (location.hash.length > 1 && !location.hash.includes("=")) return;
  state = readState();
  apply();
}

// --- the table of questions ----------------------------------------------------------------------------------------

function haystack(q) {
  q.text ??= [q.id, q.question, q.evidence, q.sql, q.gold].join("\n").toLowerCase();
  return q.text;
}

function matching(except) {
  const has = (value, wanted) => (Array.isArray(value) ? value.includes(wanted) : value === wanted);
  const words = (state.q || "").toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = FILTERS.filter((name) => state[name] && name !== except);
  return questions.filter((q) => wanted.every((name) => has(q[name], state[name])) && words.every((w) => haystack(q).includes(w)));
}

function sortKey(name) {
  if (name === "difficulty") return (q) => (DIFFICULTIES.indexOf(q.difficulty) + 1 || 99);
  if (name === "status") return (q) => Object.keys(STATUS).indexOf(q.status);
  if (name === "given") return (q) => q.place;
  return (q) => q[name];
}

function sorted(found) {
  const name = state.sort || "given";
  const key = sortKey(name.replace(/^-/, ""));
  const sign = name.startsWith("-") ? -1 : 1;
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  return found.sort((a, b) => sign * compare(key(a), key(b)) || a.place - b.place);
}

function row(q) {
  const address = new URLSearchParams({ ...state, open: q.id });
  return h("tr", { "data-id": q.id },
    h("td", {}, badge(q.status)),
    h("td", { class: "q" }, h("span", {}, h("a", { href: `#${address}` }, q.question || "(an empty question)")), h("small", {}, q.id)),
    h("td", {}, q.db), h("td", {}, q.difficulty), h("td", {}, q.path),
    h("td", { class: "num", "data-name": "confidence" }, q.confidence.toFixed(2)),
    h("td", { class: "num", "data-name": "right" }, `${q.right} / ${q.candidates}`),
    h("td", {}, q.reason ? spaced(q.reason) : ""));
}

function renderList() {
  shown = sorted(matching());
  $("list").tBodies[0].replaceChildren(...shown.slice(0, limit).map(row));
  $("more").hidden = shown.length <= limit;
  $("more").textContent = `Show ${Math.min(shown.length - limit, 5 * PAGE)} more of ${shown.length - limit}`;
  for (const header of $("list").tHead.querySelectorAll("th")) {
    const name = header.firstElementChild.dataset.sort;
    const current = (state.sort || "").replace(/^-/, "") === name;
    if (current) header.setAttribute("aria-sort", state.sort.startsWith("-") ? "descending" : "ascending");
    else header.removeAttribute("aria-sort");
  }
  const right = shown.filter((q) => q.status === "right").length;
  const filtered = shown.length < questions.length;
  $("tally").replaceChildren(h("b", {}, shown.length.toLocaleString("en")), filtered ? ` of ${plural(questions.length, "question")}` : shown.length === 1 ? " question" : " questions",
    shown.length && !state.status ? `, EX ${filtered ? "among them " : ""}${(100 * right / shown.length).toFixed(1)}` : "",
    Object.keys(state).some((name) => name !== "sort" && name !== "open") ? h("button", { type: "button", class: "linkish", onclick: clearFilters }, "clear filters") : "");
}

function clearFilters() {
  writeState({ q: "", ...Object.fromEntries(FILTERS.map((name) => [name, ""])) });
}

function renderFilters() {
  for (const name of FILTERS) {
    const counts = new Map();
    for (const value of matching(name).flatMap((q) => q[name])) counts.set(value, (counts.get(value) || 0) + 1);
    const values = [...new Set(questions.flatMap((q) => q[name]))].filter(Boolean);
    const order = name === "status" ? Object.keys(STATUS) : name === "difficulty" ? DIFFICULTIES : null;
    values.sort((a, b) => (order ? (order.indexOf(a) + 1 || 99) - (order.indexOf(b) + 1 || 99) : a.localeCompare(b)));
    if (state[name] && !values.includes(state[name])) values.push(state[name]);
    const label = (value) => (name === "status" ? STATUS_LONG[value] || value : name === "db" ? value : spaced(value));
    $(`f-${name}`).replaceChildren(h("option", { value: "" }, "all"),
      ...values.map((value) => h("option", { value, selected: state[name] === value }, `${label(value)} (${counts.get(value) || 0})`)));
  }
  if ($("f-q").value !== (state.q || "")) $("f-q").value = state.q || "";
  const sorts = state.sort && !(state.sort in SORTS) ? { ...SORTS, [state.sort]: spaced(state.sort) } : SORTS;
  $("f-sort").replaceChildren(...Object.entries(sorts).map(([value, label]) => h("option", { value, selected: (state.sort || "given") === value }, label)));
}

function apply() {
  renderFilters();
  renderList();
  const q = byId.get(state.open);
  if (q) openTrace(q);
  else if ($("trace").open) $("trace").close();
}

// --- a question's trace ---------------------------------------------------------------------------------------------

function resultTable(preview, rowCount) {
  if (!preview) return null;
  const [columns, rows, width] = preview;
  const numeric = columns.map((_, n) => rows.length > 0 && rows.every((r) => r[n] === null || typeof r[n] === "number"));
  const cell = (value, n) => value === null ? h("td", { class: `null ${numeric[n] ? "n" : ""}` }, "NULL") : h("td", { class: numeric[n] ? "n" : "" }, String(value));
  const left = [
    rowCount === null && rows.length === index.previewRows && `the first ${rows.length} rows shown`,
    rowCount > rows.length && `${plural(rowCount, "row")}, the first ${rows.length} shown`,
    width > columns.length && `${width} columns, the first ${columns.length} shown`,
  ].filter(Boolean).join("; ");
  return h("div", { class: "result", tabindex: "0", role: "group", "aria-label": "Result" },
    h("table", {}, h("thead", {}, h("tr", {}, columns.map((name, n) => h("th", { scope: "col", class: numeric[n] ? "n" : "" }, name)))),
      h("tbody", {}, rows.map((values) => h("tr", {}, values.map(cell))))),
    rows.length === 0 && h("p", { class: "aside-note" }, "no rows"), left && h("p", { class: "aside-note" }, left));
}

function unpack(q) {
  const t = JSON.parse($(`trace-${q.place}`).textContent);
  const fields = ["id", "generator", "view", "prompt", "sql", "before", "actions", "outcome", "outcomeBefore", "error", "rows", "seconds", "cluster", "correct", "reason", "effect"];
  t.candidates = (t.candidates || []).map((values, place) => {
    const c = Object.fromEntries(fields.map((name, n) => [name, values[n]]));
    for (const name of ["generator", "view", "prompt", "outcome", "outcomeBefore", "reason", "effect"]) c[name] = index.names[c[name]];
    return { ...c, place, sql: t.statements[c.sql], before: c.before < 0 ? "" : t.statements[c.before] };
  });
  t.calls = unpackCalls(t.calls || []);
  return t;
}

const section = (title, ...children) => h("section", {}, h("h2", {}, title), children);

function answerSection(q, t) {
  const chosen = t.candidates[t.chosen];
  const right = t.candidates.find((c) => c.correct === 1 && c.cluster >= 0);
  const gold = t.goldPreview || (right && t.clusters[right.cluster][1]);
  const why = q.status !== "right" && h("p", { class: "error" }, [q.reason && spaced(q.reason), t.detail].filter(Boolean).join(": "));
  return h("section", { class: "pair" },
    h("div", {}, h("h3", {}, "Answer", badge(q.status)), sqlBlock(q.sql), why,
      chosen && chosen.cluster >= 0 && resultTable(t.clusters[chosen.cluster][1], chosen.rows)),
    h("div", {}, h("h3", {}, "Gold"), q.gold ? sqlBlock(q.gold) : h("p", { class: "aside-note" }, "this question has no gold SQL"),
      gold ? resultTable(gold, right && !t.goldPreview ? right.rows : null) : q.gold && h("p", { class: "aside-note" }, "its result is not part of this report, and no candidate gives it")));
}

function showMatches(event) {
  event.target.parentElement.querySelector(".matches tbody[hidden]").hidden = false;
  event.target.remove();
}

function groundingSection(t) {
  if (!t.matches) return null;
  const heads = ["literal", "column", "value", "score", "method"].map((name) => h("th", { scope: "col" }, name));
  const line = ([literal, column, value, score, method]) => h("tr", {}, h("td", {}, literal), h("td", {}, columnName(column)), h("td", {}, value),
    h("td", {}, score.toFixed(2)), h("td", {}, index.names[method]));
  const missing = (t.goldCells || []).filter((c) => !c[2]);
  return section("Grounding",
    t.literals.length > 0 && h("p", {}, h("span", { class: "muted" }, "Literals: "), t.literals.join(" · ")),
    t.keywords.length > 0 && h("p", {}, h("span", { class: "muted" }, "Keywords: "), t.keywords.join(" · ")),
    t.matches.length ? h("div", { class: "scroll" }, h("table", { class: "matches" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, t.matches.slice(0, BEST).map(line)),
      t.matches.length > BEST && h("tbody", { hidden: true }, t.matches.slice(BEST).map(line))))
      : h("p", { class: "aside-note" }, "no cell of the database matches"),
    t.matches.length > BEST && h("button", { type: "button", class: "linkish", onclick: showMatches }, `${t.matches.length - BEST} more matches`),
    t.matchesTotal > t.matches.length && h("p", { class: "aside-note" }, `${t.matchesTotal} matches in all, the best ${t.matches.length} are in this report`),
    missing.length > 0 && h("p", { class: "error" }, "Not found, though the gold SQL uses it: ", missing.map((c) => `${columnName(c[1])} = '${c[0]}'`).join(", ")),
    t.examples.length > 0 && h("details", { class: "fold" }, h("summary", {}, `${plural(t.examples.length, "similar example")}`),
      h("p", { class: "aside-note" }, "skeleton: ", t.skeleton),
      t.examples.map(([db, text, sql, score]) => h("div", {}, h("p", {}, text, " ", h("small", {}, `${db}, ${score.toFixed(2)}`)), sqlBlock(sql)))));
}

function linkingSection(t) {
  if (!t.links) return null;
  const gold = new Set(t.goldColumns || []);
  const lost = t.missing2 || [];
  const tables = new Map();
  const file = (number, chip) => {
    const [table] = index.columns[number];
    if (!tables.has(table)) tables.set(table, []);
    tables.get(table).push(chip);
  };
  for (const [number, view, score, reasons] of t.links) {
    const why = reasons.map((n) => index.names[n]).join(", ");
    file(number, h("li", { class: `${view === 1 ? "s1" : "s2"} ${gold.has(number) ? "gold" : ""}`, title: `S${view}, score ${score}` },
      index.columns[number][1], gold.has(number) && " ●", why && h("small", {}, ` ${why}`)));
  }
  for (const number of lost) file(number, h("li", { class: "lost" }, index.columns[number][1], " ○ missing"));
  const precise = t.links.filter((link) => link[1] === 1).length;
  return section("Schema linking",
    h("p", { class: "aside-note" }, `S1 keeps ${precise}, S2 ${t.links.length} of ${plural(t.columnsTotal, "column")}. Blue edge: S1. ● used by the gold SQL. ○ used by it and not kept.`),
    t.goldError && h("p", { class: "error" }, `The gold SQL could not be analysed: ${t.goldError}`),
    h("div", { class: "tables" }, [...tables].map(([table, chips]) => [h("div", {}, table), h("ul", { class: "chips" }, chips)])),
    t.draft && h("details", { class: "fold" }, h("summary", {}, "draft SQL of the reversed pass"), sqlBlock(t.draft)));
}

function verdictMark(candidate) {
  if (candidate.correct < 0) return null;
  return candidate.correct ? h("span", { class: "badge right" }, "✓ right") : h("span", { class: "badge wrong" }, "✕ ", spaced(candidate.reason || "wrong"));
}

function candidateBlock(group, t) {
  const [first] = group;
  const tags = (c) => [c.place === t.chosen && h("span", { class: "tag pick" }, "selected"), c.place === t.vote && h("span", { class: "tag" }, "vote")];
  const repair = first.actions.length > 0 || first.before;
  return h("div", { class: "candidate" },
    h("p", {}, group.map((c, n) => [n > 0 && ", ", h("span", { class: "who", title: c.id }, c.id.replace(/^recorded:/, "")), " ", tags(c)]), " ", verdictMark(first)),
    h("p", { class: "aside-note" }, [first.prompt, first.view && `${first.view} schema`, spaced(first.outcome), `${first.seconds} s`].filter(Boolean).join(" · ")),
    first.error && h("p", { class: "error" }, first.error),
    sqlBlock(first.sql),
    repair && h("details", { class: "fold" }, h("summary", {}, `repaired: ${first.actions.map(spaced).join("; ") || "changed"}`),
      h("p", { class: "aside-note" }, `before: ${spaced(first.outcomeBefore)}`, first.effect !== "changed" && `; ${first.effect} by the repair`), first.before && sqlBlock(first.before, "before")));
}

// Candidates whose statement, history and verdict are the same stand together, those with the selected one first.
function together(candidates, t) {
  const groups = new Map();
  for (const c of candidates) {
    const key = JSON.stringify([c.sql, c.before, c.actions, c.correct, c.outcome]);
    groups.set(key, [...(groups.get(key) || []), c]);
  }
  const rank = (group) => (group.some((c) => c.place === t.chosen) ? 0 : group.some((c) => c.place === t.vote) ? 1 : 2);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}

function clusterBlock(number, t) {
  const members = t.candidates.filter((c) => c.cluster === number);
  if (!members.length) return null;
  const [weight, preview] = t.clusters[number];
  const total = t.clusters.reduce((sum, c) => sum + Math.max(c[0], 0), 0);
  const chosen = members.some((c) => c.place === t.chosen);
  const gauge = h("span", { class: "weight", title: `weight ${weight}` }, h("i", {}));
  gauge.firstChild.style.setProperty("--to", total ? 100 * Math.max(weight, 0) / total : 0);
  const groups = together(members, t);
  const open = t.candidates.length > LARGE_POOL ? 1 : 3;
  const rest = groups.slice(open).map((g) => candidateBlock(g, t));
  return h("article", { class: `cluster ${chosen ? "chosen" : ""} ${members.some((c) => c.correct === 1) ? "right" : ""}` },
    h("header", {}, h("strong", {}, `Result ${number + 1}`), h("span", { class: "muted" }, plural(members.length, "candidate")), gauge,
      weight < 0 && h("span", { class: "muted" }, "left out of the choice"), chosen && h("span", { class: "tag pick" }, "selected"), verdictMark(members[0])),
    resultTable(preview, members[0].rows),
    groups.slice(0, open).map((g) => candidateBlock(g, t)),
    rest.length > 0 && h("details", { class: "fold" }, h("summary", {}, `${plural(rest.length, "more way")} to write it`), rest));
}

function choiceSection(q, t) {
  const failed = t.candidates.filter((c) => c.cluster < 0);
  const said = [`path ${q.path}`, `confidence ${q.confidence.toFixed(2)}`, `${plural(t.clusters.length, "different result")} of ${plural(t.candidates.length, "candidate")}`,
    t.comparisons > 0 && plural(t.comparisons, "comparison")].filter(Boolean).join(" · ");
  return section("Candidates and choice", h("p", { class: "aside-note" }, said),
    t.candidates.length === 0 && h("p", { class: "empty" }, "No generator wrote anything for this question."),
    t.clusters.map((_, number) => clusterBlock(number, t)),
    failed.length > 0 && h("article", { class: "cluster" }, h("header", {}, h("strong", {}, "Without a result"), h("span", { class: "muted" }, plural(failed.length, "candidate"))),
      together(failed, t).map((g) => candidateBlock(g, t))));
}

function openTrace(q) {
  const dialog = $("trace");
  if (dialog.open && dialog.dataset.id === q.id) return;
  const t = unpack(q);
  const place = shown.indexOf(q);
  const step = (by) => ({ type: "button", class: "button", disabled: !shown[place + by] || place < 0, onclick: () => writeState({ open: shown[place + by].id }) });
  dialog.dataset.id = q.id;
  dialog.replaceChildren(
    h("div", { class: "bar-top" }, h("p", {}, place < 0 ? q.id : `${place + 1} of ${shown.length}`), h("button", { ...step(-1), id: "previous", "aria-label": "Previous question" }, "←"),
      h("button", { ...step(1), id: "next", "aria-label": "Next question" }, "→"), h("button", { type: "button", class: "button", id: "close", onclick: () => writeState({ open: "" }) }, "Close")),
    h("div", { class: "trace-body" },
      h("h1", { class: "asked", id: "trace-title", tabindex: "-1" }, q.question || "(an empty question)"),
      q.evidence && h("p", { class: "evidence" }, h("b", {}, "Evidence "), q.evidence),
      h("p", { class: "meta muted" }, badge(q.status), [q.id, q.db, q.difficulty, q.path, q.voted ? "vote right" : "vote wrong", ...q.flag].map((text) => h("span", {}, text))),
      answerSection(q, t), choiceSection(q, t), groundingSection(t), linkingSection(t), callsSection(t)));
  document.body.classList.add("open");
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  $("trace-title").focus();
}

// --- wiring ---------------------------------------------------------------------------------------------------------

function nextTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = dark ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("nl2sql-theme", theme);
  } catch {
    // Without storage the choice holds until the page is closed.
  }
}

function sortBy(name) {
  const order = state.sort === name ? `-${name}` : state.sort === `-${name}` ? "" : name;
  writeState({ sort: order });
}

function wire() {
  for (const name of FILTERS) $(`f-${name}`).addEventListener("change", (event) => { limit = PAGE; writeState({ [name]: event.target.value }); });
  $("f-sort").addEventListener("change", (event) => writeState({ sort: event.target.value === "given" ? "" : event.target.value }));
  $("f-q").addEventListener("input", (event) => { limit = PAGE; writeState({ q: event.target.value }); });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll("[data-sort]")) button.addEventListener("click", () => sortBy(button.dataset.sort));
  $("more").addEventListener("click", () => { limit += 5 * PAGE; renderList(); });
  $("list").tBodies[0].addEventListener("click", (event) => {
    const line = event.target.closest("tr");
    if (!line || event.target.closest("a") || String(getSelection())) return;
    writeState({ open: line.dataset.id }, true);
  });
  for (const link of document.querySelectorAll("[data-jump]")) link.addEventListener("click", () => setTimeout(() => $("questions").scrollIntoView(), 0));
  $("trace").addEventListener("close", () => { document.body.classList.remove("open"); if (state.open) writeState({ open: "" }); });
  $("trace").addEventListener("click", (event) => { if (event.target === $("trace")) writeState({ open: "" }); });
  addEventListener("keydown", (event) => {
    if (!$("trace").open || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = { ArrowRight: "next", j: "next", ArrowLeft: "previous", k: "previous" }[event.key];
    if (button && !event.target.closest("input, select, textarea, .result")) $(button).click();
  });
  $("theme").addEventListener("click", nextTheme);
  $("theme").textContent = "◐";
  for (const id of ["theme", "filters", "list"]) $(id).hidden = false;
  addEventListener("hashchange", followAddress);
  addEventListener("popstate", followAddress);
}

wire();
state = readState();
apply();
