// The page, put together: the filter says what is wanted, the stream and REST bring it, the list and the pane show it.

import { Api } from "./api.js";
import { Charts } from "./charts.js";
import { SourceClock } from "./clock.js";
import { Detail } from "./detail.js";
import { $, button, el, say } from "./dom.js";
import { Filter } from "./filter.js";
import { listen } from "./keys.js";
import { List, MOST_ROWS } from "./list.js";
import { StatusBar } from "./status.js";
import { Stream } from "./stream.js";
import { clockTime, plain } from "./words.js";

const WIDE = matchMedia("(min-width: 900px)");
const FEW_ROWS = 20; // a filter of many tickers and forms may find less than this on a page: more pages are asked for,
const MOST_PAGES = 10; // at most so many
const SAY_MS = 5000; // at most one announcement in this time, however many filings come

const api = new Api();
const clock = new SourceClock();
const list = new List($("rows"), clock, () => changed());
const detail = new Detail($("detail"), api, () => close());
const bar = new StatusBar(api, clock);
const charts = new Charts($("charts"), api);
const stream = new Stream({ state, past, filing, refused }, () => api.key, clockTime);
let filter = Filter.fromAddress(location.search);
let older = null; // {before, as_of} of the page below, null where there is none
let loads = 0;
let loading = true;
let news = 0; // messages since the last announcement
let latest = null;

// What the stream brings.

function state(word, why) {
  bar.setStream(word, why);
  $("notice").hidden = word === "live" || word === "connecting";
  if (word === "live") $("key").hidden = true;
  if (!$("notice").hidden) say($("notice"), `${word === "resuming" ? "Connecting again" : "Disconnected"}: ${why || "trying again…"} Nothing will be missing.`);
}

function filing(message) {
  announce(message);
  if (list.show(message)) detail.update(message);
}

function past(cursor, reason) {
  if (reason) list.clear();
  const [before, asOf] = cursor.split(".").map(Number);
  load({ before, as_of: asOf });
}

function refused(why) {
  state("key needed", why);
  $("notice").hidden = true;
  say($("key-problem"), api.key ? `That key was refused: ${why}.` : "");
  api.key = "";
  $("key").hidden = false;
  loading = false;
  changed();
  $("api-key").focus();
}

// A page of the past, below what is there.
async function load(from) {
  const mine = ++loads;
  loading = true;
  older = null;
  $("problem").hidden = true;
  changed();
  try {
    let next = from;
    for (let added = 0, pages = 0; next && added < FEW_ROWS && pages < MOST_PAGES; pages++) {
      from = next;
      const page = await api.past(filter, `${from.before}.${from.as_of}`);
      if (mine !== loads) return;
      added += list.append(page.filings);
      next = page.more && page.reached ? { before: page.reached, as_of: from.as_of } : null;
    }
    older = next;
  } catch (error) {
    if (mine !== loads) return;
    $("problem").replaceChildren(`Earlier filings could not be loaded: ${error.message}. `, button("Try again", () => load(from)));
    $("problem").hidden = false;
  }
  loading = false;
  changed();
}

// What the reader does.

function begin() {
  loads += 1;
  older = null;
  loading = true;
  list.clear();
  if (list.paused) togglePause();
  stream.follow(filter);
}

function filtered() {
  filter = Filter.of($("tickers").value, $("forms").value, $("priority").value);
  history.replaceState(null, "", location.pathname + filter.address + location.hash);
  begin();
}

function fillForm() {
  $("tickers").value = filter.tickers.join(", ");
  $("forms").value = filter.forms.join(", ");
  const exact = [...$("priority").options].find((option) => Number(option.value) === filter.priority);
  if (!exact) $("priority").append(el("option", { value: String(filter.priority) }, `${filter.priority} and up`));
  $("priority").value = exact ? exact.value : String(filter.priority);
}

function clearFilter() {
  filter = Filter.of("", "", 0);
  fillForm();
  filtered();
}

function togglePause() {
  const complete = list.pause(!list.paused);
  if (!complete) begin();
}

function choose(id, focus) {
  const message = list.message(id);
  if (!message) return;
  list.choose(id, focus);
  history.replaceState(null, "", `${location.pathname}${filter.address}#${encodeURIComponent(id)}`);
  if (WIDE.matches || $("detail").classList.contains("open")) detail.open(message);
}

function step(by) {
  choose(list.near(by), true);
}

function read() {
  if (!list.message(list.chosen)) step(0);
  const message = list.message(list.chosen);
  if (!message) return;
  detail.open(message);
  $("detail").classList.add("open");
  cover();
  $("detail").focus();
}

function close() {
  $("detail").classList.remove("open");
  cover();
  toList();
}

// One of the two tabs; the address keeps which.
function view(name) {
  const drawn = name === "charts";
  for (const tab of ["filings", "charts"]) {
    $(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
    $(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
  }
  $("filings").hidden = drawn;
  $("filter").hidden = drawn;
  charts.show(drawn);
  const place = drawn ? "#charts" : list.chosen ? `#${encodeURIComponent(list.chosen)}` : "";
  history.replaceState(null, "", location.pathname + filter.address + place);
}

function toList() {
  const row = $("rows").querySelector("[aria-selected=true]") || $("rows").firstElementChild;
  if (row) row.focus({ preventScroll: true });
  else document.activeElement.blur();
}

// On a narrow screen the pane lies over everything else: what is below must not take the focus.
function cover() {
  const covered = !WIDE.matches && $("detail").classList.contains("open");
  for (const part of [document.querySelector(".listing"), document.querySelector(".bar"), $("filter")]) part.inert = covered;
}

// What follows from what is shown.

function changed() {
  const unread = list.unread.size;
  const waiting = list.held.size;
  $("unread").hidden = !unread;
  say($("unread"), `${unread} unread`);
  $("pause").setAttribute("aria-pressed", String(list.paused));
  say($("pause"), list.paused ? `Go on${list.overflowed ? ` (more than ${MOST_ROWS} new)` : waiting ? ` (${waiting} new)` : ""}` : "Pause");
  document.title = unread + waiting ? `(${unread + waiting}) Catalyst` : "Catalyst";
  $("clear").hidden = filter.all;
  $("list").setAttribute("aria-busy", String(loading));
  $("loading").hidden = !loading || list.size >= MOST_ROWS;
  $("older").hidden = older === null || loading || list.size >= MOST_ROWS;
  say($("full"), list.size >= MOST_ROWS ? `The newest ${MOST_ROWS} are shown; the others are at api/filings/recent.` : "");
  empty(!loading && !list.size && $("problem").hidden && $("key").hidden);
}

function empty(shown) {
  $("empty").hidden = !shown;
  if (!shown) return;
  const [title, text] = filter.all ? ["No filings yet.", bar.watching]
    : [`${older ? "None of the newest filings" : "No filing"} matches ${plain(filter.words)}.`, "New ones appear here as they come."];
  const mark = `${title} ${text}`;
  if ($("empty").dataset.shows === mark) return;
  $("empty").dataset.shows = mark;
  const parts = [el("h2", null, title), el("p", null, text)];
  if (!filter.all) parts.push(button("Clear filter", clearFilter));
  $("empty").replaceChildren(...parts);
}

// To a screen reader: the newest of what came since the last time, and how many there were.
function announce(message) {
  news += 1;
  latest = message;
  if (news > 1) return;
  setTimeout(() => {
    const many = news > 1 ? `${news} messages, the latest: ` : "";
    say($("says"), many + plain(latest.headline).slice(0, 200));
    news = 0;
  }, SAY_MS);
}

// The filing that the address names after "#"; empty where there is none.
function named() {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, 64);
  } catch {
    return "";
  }
}

$("filter").addEventListener("change", filtered);
$("filter").addEventListener("submit", (event) => { event.preventDefault(); filtered(); });
$("clear").addEventListener("click", clearFilter);
$("pause").addEventListener("click", togglePause);
$("unread").addEventListener("click", () => list.readAll());
$("keys").addEventListener("click", () => $("help").showModal());
$("older").addEventListener("click", () => { if (older) load(older); });
$("rows").addEventListener("click", (event) => {
  const row = event.target.closest("[data-id]");
  if (!row) return;
  choose(row.dataset.id, true);
  if (!WIDE.matches) read();
});
$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  api.key = $("api-key").value;
  $("api-key").value = "";
  bar.run();
  if (charts.shown) charts.run();
  begin();
});
for (const tab of ["filings", "charts"]) {
  $(`tab-${tab}`).addEventListener("click", () => view(tab));
  $(`tab-${tab}`).addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    view(tab === "charts" ? "filings" : "charts");
    document.querySelector(".tabs [aria-selected=true]").focus();
  });
}
WIDE.addEventListener("change", cover);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { stream.hurry(); bar.run(); if (charts.shown) charts.run(); } });
listen({
  step, read, close, list: toList, pause: togglePause,
  view, onCharts: () => charts.shown,
  readAll: () => list.readAll(),
  search: () => { $("tickers").focus(); $("tickers").select(); },
  help: () => $("help").showModal(),
});

fillForm();
changed();
begin();
bar.run();
setInterval(() => { list.tick(); bar.render(); changed(); }, 1000);
if (named() === "charts") view("charts");
else if (named()) {
  list.chosen = named();
  detail.openById(list.chosen);
  cover();
}
