// What the reader wants to see, as the form, the address bar and the stream have it.

const SPOKEN = 8; // tickers that are named in words

export class Filter {
  constructor(tickers, forms, priority) {
    this.tickers = tickers;
    this.forms = forms;
    this.priority = priority;
  }

  static of(tickers, forms, priority) {
    const number = Number(priority);
    return new Filter(
      listed(tickers, /[\s,;]+/).map(plainTicker).filter(Boolean),
      listed(forms, /[,;]+/).map((form) => form.toUpperCase()),
      number > 0 && number <= 1 ? number : 0,
    );
  }

  static fromAddress(search) {
    const asked = new URLSearchParams(search);
    return Filter.of(asked.get("tickers") || "", asked.get("forms") || "", asked.get("min_priority") || "0");
  }

  get all() {
    return !this.tickers.length && !this.forms.length && !this.priority;
  }

  get address() {
    const query = new URLSearchParams();
    if (this.tickers.length) query.set("tickers", this.tickers.join(","));
    if (this.forms.length) query.set("forms", this.forms.join(","));
    if (this.priority) query.set("min_priority", this.priority);
    return query.size ? `?${query}` : "";
  }

  get subscription() {
    return { tickers: this.tickers, forms: this.forms, min_priority: this.priority };
  }

  // In words, for "No filing matches …".
  get words() {
    const parts = [];
    const rest = this.tickers.length - SPOKEN;
    if (this.tickers.length) parts.push(this.tickers.slice(0, SPOKEN).join(", ") + (rest > 0 ? ` and ${rest} more` : ""));
    if (this.forms.length) parts.push(`form ${this.forms.join(" or ")}`);
    if (this.priority) parts.push(`priority ${this.priority} or more`);
    return parts.join(", ");
  }

  matches(message) {
    const named = [message.ticker, ...message.tickers].map(plainTicker);
    return (!this.tickers.length || named.some((ticker) => this.tickers.includes(ticker)))
      && (!this.forms.length || this.forms.includes(message.filing_type.toUpperCase()));
  }
}

// As the SEC writes it, and as the service compares it: "brk.b" and "$BRK-B" are "BRK-B".
function plainTicker(name) {
  return name.trim().replace(/^\$+/, "").toUpperCase().replaceAll(".", "-").slice(0, 32);
}

function listed(text, between) {
  return [...new Set(text.split(between).map((part) => part.trim().slice(0, 32)).filter(Boolean))].slice(0, 100);
}
