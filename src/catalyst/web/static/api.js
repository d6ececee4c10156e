// REST, with the key where there is one. A failure is an Error whose message is fit for a reader.

const MOST_QUERIES = 16;
export const PAGE = 100;

export class Api {
  get key() {
    return sessionStorage.getItem("api-key") || "";
  }

  set key(value) {
    if (value) sessionStorage.setItem("api-key", value);
    else sessionStorage.removeItem("api-key");
  }

  async get(path) {
    let answer;
    try {
      answer = await fetch(path, { headers: this.key ? { "X-API-Key": this.key } : {}, signal: AbortSignal.timeout(15_000) });
    } catch (error) {
      throw new Error(error.name === "TimeoutError" ? "the service did not answer in 15 s" : "the service does not answer");
    }
    if (!answer.ok) throw Object.assign(new Error(await told(answer)), { status: answer.status });
    return answer.json();
  }

  filing(id) {
    return this.get(`api/filings/by-id/${encodeURIComponent(id)}`);
  }

  status() {
    return this.get("api/status");
  }

  usage(days) {
    return this.get(`api/usage?days=${encodeURIComponent(days)}`);
  }

  latency() {
    return this.get("api/metrics/latency");
  }

  document(id) {
    return this.get(`api/filings/by-id/${encodeURIComponent(id)}/document`);
  }

  // The newest filings before `cursor` ("before.as_of"), newest first. REST takes one ticker and one form a query, so a
  // filter with several asks for each; what all of them have down to `reached` is the page.
  async past(filter, cursor) {
    const pages = await Promise.all(queries(filter, cursor).map((path) => this.get(path)));
    const found = new Map();
    for (const page of pages) {
      for (const message of page.filings) if (filter.matches(message)) found.set(message.filing_id, message);
    }
    const filings = [...found.values()].sort((one, other) => other.seq - one.seq);
    const more = filings.length > PAGE || pages.some((page) => page.next !== null);
    const ends = pages.map((page) => (page.next === null ? 0 : Number(page.next.split(".")[0])));
    const reached = Math.max(filings.length > PAGE ? filings[PAGE - 1].seq : 0, ...ends);
    return { filings: filings.filter((message) => message.seq >= reached), more, reached };
  }
}

async function told(answer) {
  let detail = "";
  try {
    detail = (await answer.json()).detail;
  } catch { /* not ours: the status has to do */ }
  return typeof detail === "string" && detail ? detail : `the service answered ${answer.status}`;
}

function queries(filter, cursor) {
  const tickers = filter.tickers.length ? filter.tickers : [""];
  const forms = filter.forms.length && filter.forms.length * tickers.length <= MOST_QUERIES ? filter.forms : [""];
  if (tickers.length * forms.length > MOST_QUERIES) return [path("", "", filter, cursor)];
  return tickers.flatMap((ticker) => forms.map((form) => path(ticker, form, filter, cursor)));
}

function path(ticker, form, filter, cursor) {
  const query = new URLSearchParams({ limit: PAGE, cursor, min_priority: filter.priority });
  if (form) query.set("form", form);
  return `api/filings/${ticker ? encodeURIComponent(ticker) : "recent"}?${query}`;
}
