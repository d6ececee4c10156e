// The rows, newest on top, one a filing. Bounded: what falls off the end is still at REST.
//
// `show` takes live messages, `append` older ones. While paused nothing moves: messages wait, one a filing.

import { el, say } from "./dom.js";
import { MOODS, age, clockTime, newYork, plain, shortHeadline } from "./words.js";

export const MOST_ROWS = 500;

export class List {
  constructor(rows, clock, changed) {
    this.rows = rows;
    this.clock = clock;
    this.changed = changed; // called when what is unread, chosen, held or shown has changed
    this.known = new Map(); // filing_id -> {row, message}
    this.unread = new Set();
    this.held = new Map();
    this.paused = false;
    this.overflowed = false;
    this.chosen = "";
    this.stop = null;
  }

  get size() {
    return this.known.size;
  }

  message(id) {
    return this.known.get(id)?.message;
  }

  clear() {
    this.known.clear();
    this.unread.clear();
    this.held.clear();
    this.overflowed = false;
    this.rows.replaceChildren();
    this.settle();
  }

  // A message of the stream. Returns whether it is in view now.
  show(message) {
    if (this.paused) {
      this.hold(message);
      return false;
    }
    const entry = this.known.get(message.filing_id);
    if (entry && entry.message.version > message.version) return false;
    if (entry) this.fill(entry, message);
    else {
      const row = this.make(message, !message.replay);
      this.unread.add(message.filing_id);
      this.rows.prepend(row);
      this.mark(row, message.filing_id);
      this.trim();
    }
    this.settle();
    return true;
  }

  // Older filings, below those that are there. Returns how many found a place.
  append(messages) {
    let added = 0;
    for (const message of messages) {
      if (this.known.has(message.filing_id) || this.size >= MOST_ROWS) continue;
      this.rows.append(this.make(message, false));
      added += 1;
    }
    this.settle();
    return added;
  }

  // Hold the list still, or let what waited in. False when too much had waited: the list must be loaded anew.
  pause(still) {
    this.paused = still;
    if (still) {
      this.changed();
      return true;
    }
    const waiting = [...this.held.values()];
    this.held.clear();
    if (this.overflowed) return false;
    for (const message of waiting) this.show(message);
    this.changed();
    return true;
  }

  hold(message) {
    const earlier = this.held.get(message.filing_id);
    if (earlier && earlier.version > message.version) return;
    this.held.set(message.filing_id, message);
    if (this.held.size > MOST_ROWS) {
      this.held.clear();
      this.overflowed = true;
    }
    this.changed();
  }

  choose(id, focus) {
    const before = this.known.get(this.chosen);
    this.chosen = id;
    if (before) this.mark(before.row, before.message.filing_id);
    const entry = this.known.get(id);
    if (entry) {
      this.unread.delete(id);
      this.mark(entry.row, id);
      if (focus) entry.row.focus({ preventScroll: true });
      entry.row.scrollIntoView({ block: "nearest" });
    }
    this.settle();
  }

  // The filing `step` rows away from the chosen one; the first where none is chosen; "" where there is none.
  near(step) {
    const from = this.known.get(this.chosen)?.row;
    if (!from) return this.rows.firstElementChild?.dataset.id || "";
    let row = from;
    for (let left = Math.min(Math.abs(step), MOST_ROWS); left > 0; left--) {
      row = (step > 0 ? row.nextElementSibling : row.previousElementSibling) || row;
    }
    return row.dataset.id;
  }

  readAll() {
    const ids = [...this.unread];
    this.unread.clear();
    for (const id of ids) if (this.known.has(id)) this.mark(this.known.get(id).row, id);
    this.changed();
  }

  // Ages go on; only those that read differently are touched.
  tick() {
    if (!this.clock.known) return;
    const now = this.clock.now();
    for (const { row, message } of this.known.values()) say(row.children[1], this.since(message, now));
  }

  make(message, fresh) {
    const row = el("div", { role: "row", tabindex: "-1", "data-id": message.filing_id, class: "row" });
    const entry = { row, message };
    if (fresh) row.classList.add("new");
    this.known.set(message.filing_id, entry);
    this.fill(entry, message);
    return row;
  }

  fill(entry, message) {
    entry.message = message;
    entry.row.dataset.priority = message.analysis.priority;
    entry.row.replaceChildren(priority(message), this.age(message), ticker(message), form(message), headline(message), mood(message));
    this.mark(entry.row, message.filing_id);
  }

  mark(row, id) {
    const chosen = id === this.chosen;
    row.setAttribute("aria-selected", String(chosen));
    row.classList.toggle("unread", this.unread.has(id));
  }

  // One row takes the focus of the tab key: the chosen one, else the first.
  settle() {
    const next = this.known.get(this.chosen)?.row || this.rows.firstElementChild;
    if (next !== this.stop) {
      if (this.stop) this.stop.tabIndex = -1;
      if (next) next.tabIndex = 0;
      this.stop = next;
    }
    this.changed();
  }

  age(message) {
    const moment = accepted(message);
    const text = this.clock.known ? this.since(message, this.clock.now()) : "";
    return el("time", { role: "gridcell", class: "age", datetime: message.accepted_at || message.timestamp,
      title: `accepted ${new Date(moment).toLocaleString()}` }, text);
  }

  // How long ago; of a recording that has ended, the time of day instead, for its clock means nothing any more.
  since(message, now) {
    const moment = accepted(message);
    return this.clock.ended ? newYork(moment) : age(now - moment);
  }

  trim() {
    while (this.size > MOST_ROWS) {
      const last = this.rows.lastElementChild;
      this.known.delete(last.dataset.id);
      this.unread.delete(last.dataset.id);
      last.remove();
    }
  }
}

function accepted(message) {
  return Date.parse(message.accepted_at || message.timestamp);
}

function cell(kind, attributes, ...children) {
  return el("span", { role: "gridcell", class: kind, ...attributes }, ...children);
}

function priority(message) {
  const word = message.analysis.priority;
  const title = `priority ${word}, score ${message.analysis.priority_score.toFixed(2)}`;
  return cell("bar-cell", { title }, el("span", { class: "unseen" }, `${word} priority`));
}

function ticker(message) {
  const others = message.tickers.length - 1;
  const name = plain(message.ticker) || "–";
  return cell("ticker", { title: message.tickers.map(plain).join(", ") || null }, name,
    others > 0 ? el("small", null, ` +${others}`) : null);
}

function form(message) {
  const items = message.items.map(plain).join(" ");
  return cell("form", { title: items ? `items ${items}` : null }, plain(message.filing_type),
    items ? el("small", null, ` ${items}`) : null);
}

function headline(message) {
  const known = message.ticker ? "company known" : "company";
  return cell("headline", { title: plain(message.headline) }, message.company ? el("bdi", { class: known }, plain(message.company)) : null,
    message.company ? " " : null, el("bdi", { class: "text" }, shortHeadline(message)));
}

export function mood(message, tag = "gridcell") {
  const { label, sentiment } = message.analysis;
  const [shape, word] = MOODS[label] || ["", plain(label)];
  const chip = sentiment === null ? null
    : el("span", { class: `chip-mood ${word}` }, el("span", { "aria-hidden": "true" }, `${shape} `), word);
  const wait = message.final ? null : el("span", { class: "checking" }, "checking…");
  const none = !chip && !wait ? el("span", { class: "quiet", title: "only the feed row could be read" }, "not read") : null;
  return el("span", { role: tag, class: "mood", title: `message of ${clockTime(message.timestamp)}` }, chip, wait, none);
}
