// The top bar: a word and a colour each, the reason on hover and focus; and where the filings come from.

import { $, el, say } from "./dom.js";
import { clockTime, newYork, plain } from "./words.js";

const EDGAR = { live: "good", closed: "idle", "catching up": "warm", starting: "warm", failing: "bad", stopped: "bad" };
const STREAM = { live: "good", connecting: "warm", resuming: "warm", disconnected: "bad", "key needed": "bad" };
const SEEN_MS = 5000;
const HIDDEN_MS = 30_000;

export class StatusBar {
  constructor(api, clock) {
    this.api = api;
    this.clock = clock;
    this.found = null;
    this.chips = new Map();
    this.stream = { word: "connecting", why: "" };
    this.timer = 0;
    for (const name of ["EDGAR", "models", "stream"]) this.chip(name);
  }

  // Ask until the page goes; one question at a time.
  async run() {
    clearTimeout(this.timer);
    try {
      this.found = await this.api.status();
      this.clock.set(this.found.clock || new Date().toISOString());
      this.clock.ended = Boolean(this.found.source?.ended);
    } catch (error) {
      this.found = null;
      this.failure = error.message;
    }
    this.render();
    clearTimeout(this.timer); // of another question that was asked meanwhile
    this.timer = setTimeout(() => this.run(), document.hidden ? HIDDEN_MS : SEEN_MS);
  }

  setStream(word, why) {
    // What the service said of itself is not known to hold once it is gone, nor what it says of itself when it is back.
    const turned = word !== this.stream.word && (word === "disconnected" || word === "live");
    this.stream = { word, why };
    this.render();
    if (turned) this.run();
  }

  // Where "no filings yet" comes from, in words; empty while that is unknown.
  get watching() {
    const edgar = this.found?.edgar;
    if (!edgar) return "";
    if (this.found.source?.ended) return "The recording has ended.";
    if (edgar.state === "closed") return "EDGAR is closed: it takes filings from 6:00 to 22:00 New York time on working days.";
    if (edgar.state === "failing" || edgar.state === "stopped") return `EDGAR cannot be read: ${plain(edgar.reason)}.`;
    return "They appear here within a second of EDGAR's feed.";
  }

  render() {
    const found = this.found;
    this.set("stream", this.stream.word, STREAM[this.stream.word] || "idle", this.streamReason());
    this.set("EDGAR", ...edgarChip(found, this.failure));
    this.set("models", ...modelsChip(found, this.failure));
    if (found?.money) this.set("money", ...moneyChip(found.money));
    const source = found?.source;
    const title = source ? `${plain(source.title)}${source.ended ? ", ended" : ""}` : "";
    const time = this.clock.known && !source?.ended ? ` · ${newYork(this.clock.now()).slice(0, 5)} New York` : "";
    say($("source"), title && title + time);
  }

  streamReason() {
    const parts = [this.stream.why];
    const stream = this.found?.stream;
    if (stream && this.stream.word === "live") parts.push(`${stream.head} messages, ${stream.clients} ${stream.clients === 1 ? "client" : "clients"}`);
    return parts.filter(Boolean).join("; ");
  }

  chip(name) {
    const word = el("span", { class: "word" });
    const tip = el("span", { class: "tip", role: "tooltip", id: `tip-${name}` });
    const made = el("button", { type: "button", class: "chip", "aria-describedby": tip.id },
      el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "what" }, name), " ", word);
    $("chips").append(el("li", null, made, tip));
    this.chips.set(name, { made, word, tip });
    return this.chips.get(name);
  }

  set(name, text, tone, reason) {
    const { made, word, tip } = this.chips.get(name) || this.chip(name);
    made.className = `chip ${tone}`;
    say(word, text);
    say(tip, reason || text);
  }
}

function edgarChip(found, failure) {
  const edgar = found?.edgar;
  if (!edgar) return ["unknown", "idle", found ? "this service does not watch EDGAR" : failure || "asking…"];
  const parts = [plain(edgar.reason)];
  if (edgar.last_poll) parts.push(`last read ${clockTime(edgar.last_poll)}`);
  if (edgar.lag_s !== null) parts.push(`newest filing seen ${edgar.lag_s.toFixed(1)} s after acceptance`);
  if (found.filings) parts.push(`${found.filings.seen} filings, ${found.filings.pending} being read`);
  return [found.source?.ended ? "ended" : edgar.state, found.source?.ended ? "idle" : EDGAR[edgar.state] || "warm",
    parts.filter(Boolean).join("; ")];
}

function modelsChip(found, failure) {
  const model = found?.model;
  if (!model) return ["unknown", "idle", found ? "this service does not read filings" : failure || "asking…"];
  const failures = found.alerts?.model_failures || 0;
  const failed = failures ? `; ${failures} answers failed, the rules' analysis stands in their place` : "";
  if (model.startsWith("rules only")) return ["rules only", "idle", plain(model) + failed];
  return [failures ? "some failed" : "ready", failures ? "warm" : "good", plain(model) + failed];
}

function moneyChip(money) {
  const left = money.left_usd === undefined ? "" : `; $${plain(money.left_usd)} left of the hard limit`;
  return [`$${plain(money.today_usd)} today`, money.tone || "good", `$${plain(money.month_usd)} this month${left}`];
}
