// The right pane: one filing, as its newest message tells it, and how it came to be known.

import { DocumentView } from "./document.js";
import { button, el } from "./dom.js";
import { mood } from "./list.js";
import * as words from "./words.js";

const SOURCES = { feed: "the feed row alone", rules: "rules", llm: "a model, checked against the filing" };
const MOST_FACTS = 100;

export class Detail {
  constructor(pane, api, closed) {
    this.pane = pane;
    this.api = api;
    this.closed = closed;
    this.reader = new DocumentView(api);
    this.id = "";
    this.messages = [];
    this.asked = 0;
    this.timer = 0;
    this.blank();
  }

  blank() {
    this.id = "";
    this.messages = [];
    this.pane.classList.remove("open");
    this.pane.replaceChildren(el("p", { class: "empty" }, "Choose a filing to read what is in it. ",
      el("kbd", null, "j"), " and ", el("kbd", null, "k"), " walk the list, ", el("kbd", null, "Enter"), " opens."));
  }

  // Show `message` at once, then its history from REST (a moment later, so that walking the list asks for little).
  open(message) {
    if (message.filing_id !== this.id) {
      this.id = message.filing_id;
      this.messages = [message];
      this.pane.scrollTop = 0;
    } else this.take(message);
    this.render();
    this.later();
  }

  // A filing that is not in the list: from the address bar.
  openById(id) {
    this.id = id;
    this.messages = [];
    this.pane.classList.add("open");
    this.pane.replaceChildren(this.close(), el("p", { class: "empty" }, "Loading the filing…"));
    this.load();
  }

  // A newer message of the filing on show.
  update(message) {
    if (message.filing_id !== this.id) return false;
    this.take(message);
    this.render();
    return true;
  }

  take(message) {
    this.messages = [...this.messages.filter((held) => held.version !== message.version), message]
      .sort((one, other) => one.version - other.version);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), 200);
  }

  async load() {
    const mine = ++this.asked;
    const id = this.id;
    try {
      const found = await this.api.filing(id);
      if (mine !== this.asked || id !== this.id) return;
      for (const message of found.messages) this.take(message);
      this.render();
    } catch (error) {
      if (mine === this.asked && id === this.id) this.failed(error.message);
    }
  }

  failed(why) {
    const again = button("Try again", () => this.load());
    const notice = el("p", { class: "problem", role: "alert" }, `The filing's history could not be loaded: ${why}. `, again);
    if (this.messages.length) this.pane.append(notice);
    else this.pane.replaceChildren(this.close(), notice);
  }

  close() {
    return button("Close", () => this.closed(), { class: "close", title: "Back to the list (Esc)" });
  }

  render() {
    const message = this.messages[this.messages.length - 1];
    if (!message) return;
    this.pane.replaceChildren(this.close(), ...head(message), ...gist(message),
      ...facts(message, (quote, opener) => this.reader.open(message, quote, opener)),
      ...listed("Risks", message.analysis.risks), ...listed("Why it scored", message.analysis.rules),
      ...read(message), ...history(this.messages));
  }
}

function head(message) {
  const url = /^https?:\/\//.test(message.url) ? message.url : "";
  const where = message.headline_id ? `Read at ${words.plain(message.source) || "its source"}` : "Open at EDGAR";
  const link = url ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, where) : null;
  const items = message.items.length ? ` · items ${message.items.map(words.plain).join(", ")}` : "";
  const tags = message.tags.map((tag) => el("span", { class: "tag" }, words.plain(tag)));
  const names = message.tickers.map(words.plain).join(", ");
  return [
    el("h2", null, names ? el("span", { class: "ticker" }, `${names} `) : null, el("bdi", null, words.plain(message.company))),
    el("p", { class: "where" }, el("strong", null, words.plain(message.filing_type)), items, " ", ...tags, " ", link),
  ];
}

function gist(message) {
  const { analysis } = message;
  const numbers = [
    analysis.sentiment === null ? "" : `sentiment ${words.signed(analysis.sentiment)}`,
    analysis.confidence === null ? "" : `confidence ${words.share(analysis.confidence)}`,
    `priority ${analysis.priority} (${analysis.priority_score.toFixed(2)})`,
  ];
  const text = analysis.summary || words.shortHeadline(message);
  return [
    el("p", { class: "judged" }, mood(message, "presentation"), el("span", { class: "quiet" }, numbers.filter(Boolean).join(" · "))),
    el("p", { class: "summary", dir: "auto" }, words.plain(text)),
  ];
}

function facts(message, show) {
  const all = message.analysis.facts;
  if (!all.length) return [];
  const names = ["Fact", "Value", "Period", "Checked"].map((name) => el("th", { scope: "col" }, name));
  const body = all.slice(0, MOST_FACTS).map((one) => fact(one, show));
  return [title("Key facts"), el("table", { class: "facts" }, el("thead", null, el("tr", null, names)), body)];
}

// A fact and its sentence belong together: one tbody for both.
function fact(one, show) {
  const period = [one.period, one.scope === "current" ? "" : one.scope].filter(Boolean).map(words.plain).join(", ");
  const mark = one.verified ? el("td", { class: "verified", title: "value and quote were found in the filing" }, "✓ found")
    : el("td", { class: "unverified", title: "not found in the filing: do not rely on it" }, "✗ not found");
  const row = el("tr", null, el("th", { scope: "row" }, words.factName(one.name)),
    el("td", { class: words.isNumber(one) ? "value number" : "value" }, words.figure(one)), el("td", null, period || "–"), mark);
  if (!one.quote) return el("tbody", null, row);
  const opener = button(el("q", { dir: "auto" }, words.plain(one.quote)), () => show(one.quote, opener), { title: "Show it in the filing" });
  return el("tbody", null, row, el("tr", { class: "quote" }, el("td", { colspan: "4" }, opener)));
}

function listed(name, lines) {
  if (!lines.length) return [];
  return [title(name), el("ul", { class: "lines" }, lines.map((line) => el("li", { dir: "auto" }, words.plain(line))))];
}

function read(message) {
  const { analysis } = message;
  const by = analysis.model ? `${SOURCES[analysis.source]}: ${words.plain(analysis.model)}` : SOURCES[analysis.source];
  const pairs = [
    ["Read by", by],
    ["Cost", Number(analysis.cost_usd) > 0 ? words.dollars(analysis.cost_usd) : "nothing"],
    ["Figures found in the filing", analysis.grounded_share === null ? "" : words.share(analysis.grounded_share)],
    ["Events", analysis.event_types.map(words.plain).join(", ")],
    ["Wires", (message.sources || []).map(words.plain).join(", ")],
    [message.headline_id ? "Headline" : "Accession", message.filing_id],
    ["CIK", message.cik],
  ];
  const lines = pairs.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", null, name), el("dd", null, value)]);
  return [title("How it was read"), el("dl", { class: "pairs" }, lines)];
}

// When what was known: from acceptance at EDGAR to the last message.
function history(messages) {
  const newest = messages[messages.length - 1];
  if (!newest.accepted_at) return [];
  const start = Date.parse(newest.accepted_at);
  const step = (moment, what) => {
    const later = words.delay(Date.parse(moment) - start);
    return el("li", null, el("time", { datetime: moment }, words.newYork(moment)), ` ${what}`, later ? el("span", { class: "quiet" }, ` +${later}`) : null);
  };
  const steps = [el("li", null, el("time", { datetime: newest.accepted_at }, words.newYork(start)), newest.headline_id ? " published" : " accepted by EDGAR")];
  if (newest.seen_at) steps.push(step(newest.seen_at, "seen in the feed"));
  for (const message of messages) {
    steps.push(step(message.timestamp, `${message.version === 1 ? "alert" : "update"} from ${SOURCES[message.analysis.source]}`));
  }
  return [title(`When, in New York (${words.newYorkDay(start)})`), el("ol", { class: "steps" }, steps)];
}

function title(text) {
  return el("h3", null, text);
}
