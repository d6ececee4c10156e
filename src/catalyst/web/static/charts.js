// The second tab: money, cache, latency, pace and providers, each drawn, told in a sentence, and laid out as a table.

import { $, button, el, say } from "./dom.js";
import { bars, columns } from "./plot.js";
import { delay, dollars, newYork, plain, share } from "./words.js";

const AGAIN_MS = 15_000;
const MOST_MODELS = 5;
const MINUTES = 60;
const MINUTE_MS = 60_000;
const LEVELS = { L0: "same request", L1: "same question in other words", L2: "same meaning, checked", L3: "same meaning, proven" };

export class Charts {
  constructor(pane, api) {
    this.pane = pane;
    this.api = api;
    this.shown = false;
    this.timer = 0;
    this.seen = "";
    this.days = el("select", { "aria-label": "Days of the spend chart" },
      [7, 30, 90].map((count) => el("option", { value: count, selected: count === 30 }, `${count} days`)));
    this.days.addEventListener("change", () => this.run());
    this.problem = el("p", { class: "problem", role: "alert", hidden: true });
    this.charts = ["Spend by day and model", "From acceptance to alert", "Alerts by the minute", "Cache hits by level", "Providers"]
      .map((name) => new Chart(name));
    this.charts[0].head.append(this.days);
    pane.append(this.problem, ...this.charts.map((chart) => chart.figure));
    new ResizeObserver(() => this.charts.forEach((chart) => chart.paint())).observe(pane);
  }

  show(shown) {
    this.shown = shown;
    this.pane.hidden = !shown;
    if (shown) this.run();
    else clearTimeout(this.timer);
  }

  // Ask while the tab is in view; draw where something changed.
  async run() {
    clearTimeout(this.timer);
    try {
      const found = await Promise.all([this.api.usage(this.days.value), this.api.latency()]);
      const mark = JSON.stringify(found);
      this.problem.hidden = true;
      if (mark !== this.seen) this.draw(...found);
      this.seen = mark;
    } catch (error) {
      this.problem.replaceChildren(`The figures could not be loaded: ${error.message}. `, button("Try again", () => this.run()));
      this.problem.hidden = false;
    }
    clearTimeout(this.timer);
    if (this.shown && !document.hidden) this.timer = setTimeout(() => this.run(), AGAIN_MS);
  }

  draw(usage, pace) {
    const [money, latency, minutes, cache, providers] = this.charts;
    money.fill(spend(usage));
    latency.fill(histogram(pace));
    minutes.fill(perMinute(pace));
    cache.fill(levels(usage));
    providers.fill(success(usage));
  }
}

// One figure that stays in place: its drawing, its sentence and its table are put in anew.
class Chart {
  constructor(name) {
    this.name = name;
    this.content = null;
    this.head = el("figcaption", null, el("h2", null, name));
    this.told = el("p", { class: "told" }, "Loading…");
    this.plot = el("div", { class: "plot" });
    this.legend = el("ul", { class: "legend", "aria-hidden": "true" });
    this.table = el("table", { class: "figures" });
    this.behind = el("details", { hidden: true }, el("summary", null, "Table", el("span", { class: "unseen" }, ` of ${name}`)), el("div", { class: "wide" }, this.table));
    this.figure = el("figure", { class: "chart" }, this.head, this.told, this.plot, this.legend, this.behind);
  }

  // `content`: {told, paint(width, title) or null where there is nothing to draw, legend: [[tone, name]], names, rows}.
  fill(content) {
    this.content = content;
    say(this.told, content.told);
    this.legend.replaceChildren(...(content.legend || []).map(([tone, name]) => el("li", null, el("i", { class: tone }), name)));
    this.behind.hidden = !content.paint;
    if (content.paint) {
      const head = el("tr", null, content.names.map((name) => el("th", { scope: "col" }, name)));
      const body = content.rows.map(([first, ...rest]) => el("tr", null, el("th", { scope: "row" }, first), rest.map((cell) => el("td", null, cell))));
      this.table.replaceChildren(el("caption", { class: "unseen" }, this.name), el("thead", null, head), el("tbody", null, body));
    }
    this.paint();
  }

  paint() {
    const width = this.plot.clientWidth;
    if (!width || !this.content) return;
    if (this.content.paint) this.plot.replaceChildren(this.content.paint(width, `${this.name}. ${this.content.told}`));
    else this.plot.replaceChildren(el("p", { class: "nothing" }, this.content.nothing));
  }
}

function spend(usage) {
  if (!usage.available) return { told: "", nothing: "No model is configured: filings are read by rules, which cost nothing." };
  const total = sum(usage.days, "cost_usd");
  const whose = usage.tenant ? ` by ${plain(usage.tenant)} (a key with the right admin sees all)` : "";
  const saved = `the cache saved ${dollars(sum(usage.days, "saved_usd"))}, failed attempts wasted ${dollars(sum(usage.days, "wasted_usd"))}`;
  const limit = usage.money ? Number(usage.money.daily_alert_usd) : 0;
  const month = usage.money && usage.money.month_usd !== null ? ` ${dollars(usage.money.month_usd)} of ${dollars(usage.money.monthly_limit_usd)} this month.` : "";
  const told = `${dollars(total)} in ${days(usage).length} days${whose}; ${saved}.${month}${limit ? ` An alarm goes out at ${dollars(limit)} a day.` : ""}`;
  if (!usage.spend.length) return { told, nothing: "Nothing was asked of a model in these days." };
  const series = byModel(usage);
  const labels = days(usage);
  const most = Math.max(...labels.map((_, place) => series.reduce((all, one) => all + one.values[place], 0)));
  const line = limit && limit <= most * 4 ? { value: limit, text: `alarm at ${dollars(limit)}` } : null;
  return {
    told, legend: series.map((one) => [one.tone, one.name]),
    paint: (width, title) => columns(width, { labels: labels.map((day) => day.slice(5)), series, line, format: dollars, title }),
    names: ["Day", ...series.map((one) => one.name)],
    rows: labels.map((day, place) => [day, ...series.map((one) => dollars(one.values[place]))]),
  };
}

function byModel(usage) {
  const labels = days(usage);
  const costs = new Map();
  for (const { day, model, cost_usd: cost } of usage.spend) {
    const known = usage.models.findIndex((line) => line.key === model);
    const name = known >= 0 && known < MOST_MODELS ? plain(model) : "others";
    if (!costs.has(name)) costs.set(name, labels.map(() => 0));
    const place = labels.indexOf(day);
    if (place >= 0) costs.get(name)[place] += Number(cost);
  }
  const names = [...usage.models.slice(0, MOST_MODELS).map((line) => plain(line.key)), "others"].filter((name) => costs.has(name));
  return names.map((name, place) => ({ name, tone: name === "others" ? "tone-others" : `tone-${place + 1}`, values: costs.get(name) }));
}

// Every day from the first to the last, those without any use too.
function days(usage) {
  const found = [];
  for (let at = Date.parse(usage.since); at <= Date.parse(usage.until); at += 86_400_000) found.push(new Date(at).toISOString().slice(0, 10));
  return found;
}

function histogram(pace) {
  if (!pace.count) return { told: "", nothing: "No alert yet." };
  const labels = pace.buckets.map(({ le_s: edge }, place) => (edge === null ? `> ${edgeName(pace.buckets[place - 1].le_s)}` : `≤ ${edgeName(edge)}`));
  const marks = [["p50", pace.p50_s], ["p95", pace.p95_s]].map(([name, value]) => ({ at: place(pace.buckets, value), text: `${name} ${delay(value * 1000)}` }));
  return {
    told: `Of the newest ${pace.count} alerts half came within ${delay(pace.p50_s * 1000)} of EDGAR's acceptance, 95 % within ${delay(pace.p95_s * 1000)}.`,
    paint: (width, title) => columns(width, { labels, series: [{ name: "", tone: "tone-1", values: pace.buckets.map((one) => one.count) }], marks, format: String, title }),
    names: ["Delay", "Alerts"],
    rows: pace.buckets.map((one, at) => [labels[at], String(one.count)]),
  };
}

// Where a delay stands among the columns, in columns.
function place(buckets, seconds) {
  let below = 0;
  for (const [at, { le_s: edge }] of buckets.entries()) {
    if (edge === null) return at + 0.5;
    if (seconds <= edge) return at + (seconds - below) / (edge - below);
    below = edge;
  }
  return buckets.length;
}

function edgeName(seconds) {
  if (seconds >= 3600) return `${seconds / 3600} h`;
  return seconds >= 60 ? `${seconds / 60} min` : `${seconds} s`;
}

function perMinute(pace) {
  if (!pace.minutes.length) return { told: "", nothing: "No alert yet." };
  const counts = new Map(pace.minutes.map(({ minute, alerts }) => [Date.parse(minute), alerts]));
  const last = Math.max(...counts.keys());
  const moments = Array.from({ length: MINUTES }, (_, at) => last - (MINUTES - 1 - at) * MINUTE_MS);
  const values = moments.map((moment) => counts.get(moment) || 0);
  const busiest = Math.max(...values);
  const at = newYork(moments[values.indexOf(busiest)]).slice(0, 5);
  const labels = moments.map((moment) => newYork(moment).slice(0, 5));
  return {
    told: `${values.reduce((all, one) => all + one, 0)} alerts in the hour to ${labels[MINUTES - 1]} New York; the busiest minute was ${at} with ${busiest}.`,
    paint: (width, title) => columns(width, { labels, series: [{ name: "", tone: "tone-1", values }], format: String, title }),
    names: ["Minute, New York", "Alerts"],
    rows: labels.map((label, row) => [label, String(values[row])]).filter(([, count]) => count !== "0"),
  };
}

function levels(usage) {
  const { cache } = usage;
  if (!cache) return { told: "", nothing: "No answer cache: it is switched off, or no model is configured." };
  const hits = Object.entries(cache.hits);
  const all = hits.reduce((sum, [, count]) => sum + count, 0);
  const told = `${cache.hit_rate === null ? "Nothing was asked yet" : `${share(cache.hit_rate)} of ${all + cache.misses} questions answered from the cache`} since the start; ${judged(cache.audits)}.`;
  if (!all && !cache.misses) return { told, nothing: "Nothing was asked yet." };
  const rows = [...hits.map(([level, count]) => [level, LEVELS[level] || "", count, "tone-3"]), ["asked", "answered by a model", cache.misses, "tone-others"]];
  return {
    told,
    paint: (width, title) => bars(width, { title, rows: rows.map(([level, name, count, tone]) => (
      { name: `${level} ${name}`, text: String(count), parts: [{ tone, value: count, title: `${level}: ${count}` }] })) }),
    names: ["Level", "Meaning", "Answers"],
    rows: rows.map(([level, name, count]) => [level, name, String(count)]),
  };
}

function judged(audits) {
  if (!audits?.judged) return "none of them has been audited yet";
  const [low, high] = audits.interval.map((one) => `${(one * 100).toFixed(1)}`);
  return `${audits.wrong} of ${audits.judged} audited answers were wrong: ${(audits.false_hit_rate * 100).toFixed(1)} %, surely between ${low} and ${high} %`;
}

function success(usage) {
  const lines = usage.providers.filter((line) => line.calls);
  if (!lines.length) return { told: "", nothing: usage.available ? "Nothing was asked of a provider in these days." : "No model is configured." };
  const calls = lines.reduce((all, line) => all + line.calls, 0);
  const failed = lines.reduce((all, line) => all + line.failed, 0);
  return {
    told: `${calls} calls in these days, ${failed} failed (${((failed / calls) * 100).toFixed(1)} %).`,
    legend: [["tone-3", "answered"], ["tone-bad", "failed"]],
    paint: (width, title) => bars(width, { title, whole: true, rows: lines.map((line) => ({
      name: plain(line.key), text: `${share(line.answered / line.calls)} of ${line.calls}, ${Math.round(line.mean_latency_ms)} ms`,
      parts: [{ tone: "tone-3", value: line.answered, title: `answered: ${line.answered}` }, { tone: "tone-bad", value: line.failed, title: `failed: ${line.failed}` }],
    })) }),
    names: ["Provider", "Calls", "Answered", "Failed", "Tried again", "Mean ms", "Cost"],
    rows: lines.map((line) => [plain(line.key), ...[line.calls, line.answered, line.failed, line.retries, Math.round(line.mean_latency_ms)].map(String), dollars(line.cost_usd)]),
  };
}

function sum(lines, name) {
  return lines.reduce((all, line) => all + Number(line[name]), 0);
}
