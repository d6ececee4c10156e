// A filing's text with one quote marked in its place: a dialog over the page.

import { button, el } from "./dom.js";
import { plain } from "./words.js";

const AROUND = 60_000; // characters shown before and after the quote; a whole 10-K would take seconds to lay out

export class DocumentView {
  constructor(api) {
    this.api = api;
    this.asked = 0;
    this.title = el("h2", { id: "document-title" });
    this.body = el("div", { class: "text", tabindex: "0", role: "document", "aria-labelledby": "document-title" });
    this.dialog = el("dialog", { class: "reader", "aria-labelledby": "document-title" },
      el("header", null, this.title, button("Close", () => this.dialog.close())), this.body);
    this.dialog.addEventListener("close", () => this.back());
    document.body.append(this.dialog);
  }

  async open(message, quote, opener) {
    const mine = ++this.asked;
    this.opener = opener;
    this.title.textContent = `${plain(message.ticker || message.company)} ${plain(message.filing_type)}, as it was read`;
    this.state("Loading the text…");
    if (!this.dialog.open) this.dialog.showModal();
    try {
      const found = await this.api.document(message.filing_id);
      if (mine === this.asked) this.show(found, quote);
    } catch (error) {
      if (mine !== this.asked) return;
      if (error.status === 404) this.gone(message);
      else this.state(`The text could not be loaded: ${error.message}. `, button("Try again", () => this.open(message, quote, opener)));
    }
  }

  // The pane may have been drawn anew meanwhile: its button with the same words stands for the one that was pressed.
  back() {
    const pane = document.getElementById("detail");
    const same = [...pane.querySelectorAll("button")].find((one) => one.textContent === this.opener?.textContent);
    (this.opener?.isConnected ? this.opener : same || pane).focus();
  }

  gone(message) {
    const link = /^https?:\/\//.test(message.url) ? el("a", { href: message.url, target: "_blank", rel: "noopener noreferrer" }, "Open at EDGAR") : null;
    this.state("The text of this filing is not held here any more, or was never read. ", link);
  }

  state(...parts) {
    this.body.replaceChildren(el("p", { class: "empty", role: "status" }, ...parts));
  }

  show(found, quote) {
    const places = found.parts.map((part) => find(part.text, quote));
    const at = places.findIndex((place) => place !== null);
    const cut = found.cut ? el("p", { class: "quiet" }, "The filing is longer: what is behind this is not held here.") : null;
    if (at < 0) {
      const why = el("p", { class: "problem", role: "status" }, `The sentence “${plain(quote)}” is not in the text that is held${found.cut ? ", which is only the beginning of the filing" : ""}.`);
      this.body.replaceChildren(...[why, ...found.parts.flatMap((part) => section(part, null)), cut].filter(Boolean));
      this.body.scrollTop = 0;
      return;
    }
    this.body.replaceChildren(...[...found.parts.flatMap((part, place) => section(part, place === at ? places[at] : null)), cut].filter(Boolean));
    this.body.querySelector("mark").scrollIntoView({ block: "center" });
    this.body.focus({ preventScroll: true });
  }
}

// Where the quote stands, as [from, to]: letter by letter, else with any white space between its words; null where it does not.
function find(text, quote) {
  if (!quote) return null;
  const exact = text.indexOf(quote);
  if (exact >= 0) return [exact, exact + quote.length];
  const words = quote.trim().split(/\s+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  const loose = new RegExp(words.join("\\s+")).exec(text);
  return loose ? [loose.index, loose.index + loose[0].length] : null;
}

function section(part, place) {
  const head = el("h3", null, plain(part.type));
  if (place === null) return [head, el("pre", { dir: "auto" }, cutOff(part.text.slice(0, AROUND), part.text.length > AROUND))];
  const [from, to] = place;
  const before = part.text.slice(Math.max(0, from - AROUND), from);
  const after = part.text.slice(to, to + AROUND);
  return [head, el("pre", { dir: "auto" }, (from > AROUND ? "… " : "") + plain(before), el("mark", null, plain(part.text.slice(from, to))),
    cutOff(after, to + AROUND < part.text.length))];
}

function cutOff(text, more) {
  return plain(text) + (more ? " …" : "");
}
