"use strict";
// SQL for reading: highlighted, and broken before each clause. Stands before report.js in the page's one script.

const KEYWORDS = new Set(("SELECT FROM WHERE GROUP ORDER BY HAVING LIMIT OFFSET JOIN INNER LEFT RIGHT FULL OUTER CROSS NATURAL ON USING AS AND OR NOT IN IS "
  + "NULL LIKE GLOB BETWEEN EXISTS CASE WHEN THEN ELSE END DISTINCT ALL UNION INTERSECT EXCEPT WITH RECURSIVE ASC DESC CAST OVER PARTITION VALUES").split(" "));
const CLAUSES = new Set("FROM WHERE GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT JOIN INNER LEFT RIGHT FULL CROSS NATURAL".split(" "));
const JOINS = new Set("INNER LEFT RIGHT FULL OUTER CROSS NATURAL".split(" "));
const TOKEN = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?|`[^`]*`?|\[[^\]]*\]?)|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([\p{L}_][\p{L}\p{N}_$]*)|(\s+)|([\s\S])/guy;

function* tokens(sql) {
  for (const [text, comment, string, quoted, number, word, space] of sql.matchAll(TOKEN)) {
    const upper = word ? word.toUpperCase() : "";
    const kind = comment ? "com" : string ? "str" : quoted ? "id" : number ? "lit" : space ? "space" : KEYWORDS.has(upper) ? "kw" : word ? "word" : "sign";
    yield { text, kind, upper: kind === "kw" ? upper : "" };
  }
}

// A statement on one line is broken before each clause; one that its author laid out stays as it is.
function sqlNodes(sql) {
  const list = [...tokens(sql)];
  const reflow = !sql.includes("\n");
  const parens = [];
  const nodes = [];
  const next = (n) => list.slice(n + 1).find((t) => t.kind !== "space");
  let previous = null;
  let atStart = true;
  list.forEach((token, n) => {
    if (token.text === "(") parens.push(["SELECT", "WITH"].includes(next(n)?.upper));
    else if (token.text === ")") parens.pop();
    const inside = parens.length ? parens[parens.length - 1] : true;
    const breaks = reflow && !atStart && inside && (CLAUSES.has(token.upper) && !(JOINS.has(previous?.upper) && (token.upper === "JOIN" || JOINS.has(token.upper)))
      || (token.upper === "SELECT" && previous?.text !== "("));
    if (breaks) {
      if (nodes.length && nodes[nodes.length - 1].blank) nodes.pop();
      nodes.push({ text: `\n${"  ".repeat(parens.filter(Boolean).length)}`, blank: true });
    }
    const call = token.kind === "word" && next(n)?.text === "(";
    nodes.push({ text: token.text, kind: call ? "fn" : token.kind, blank: token.kind === "space" });
    if (token.kind !== "space") [previous, atStart] = [token, false];
  });
  return nodes.map(({ text, kind }) => (["kw", "str", "lit", "fn", "com"].includes(kind) ? h("span", { class: kind }, text) : text));
}

function sqlBlock(sql, extra) {
  if (!sql) return h("p", { class: "aside-note" }, "no SQL");
  const copy = h("button", { type: "button", class: "copy", onclick: () => copyText(sql, copy) }, "copy");
  return h("pre", { class: `sql ${extra || ""}` }, copy, h("code", {}, sqlNodes(sql)));
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    const area = h("textarea", {}, text);
    button.after(area);
    area.select();
    button.textContent = document.execCommand("copy") ? "copied" : "not allowed";
    area.remove();
  }
}
