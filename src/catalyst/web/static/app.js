"use strict";
// The live list: one WebSocket, resumed by (epoch, after) when it breaks, and one row a filing. All text that came
// from outside goes in through textContent.

const MOST_ROWS = 300;
const MOODS = { bullish: "▲ bullish", bearish: "▼ bearish", neutral: "■ neutral" };
const $ = (id) => document.getElementById(id);
const rows = new Map(); // filing_id -> {row, version}
let socket = null;
let place = null; // {epoch, after}
let delay = 500;
let timer = 0;
let lastHeard = 0;
let beat = 15;
let generation = 0;

function say(text, kind) {
  $("state").className = "state " + kind;
  $("state-text").textContent = text;
}

function filter() {
  const listed = (id) => $(id).value.split(/[\s,]+/).filter(Boolean);
  return { tickers: listed("tickers"), forms: $("forms").value.split(",").map((form) => form.trim()).filter(Boolean),
    min_priority: Number($("priority").value) };
}

function connect() {
  clearTimeout(timer);
  if (socket) { socket.onclose = socket.onmessage = null; socket.close(); }
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const mine = new WebSocket(`${scheme}//${location.host}/ws/filings`);
  socket = mine;
  lastHeard = Date.now();
  mine.onopen = () => {
    const key = sessionStorage.getItem("api-key");
    if (key) mine.send(JSON.stringify({ type: "auth", api_key: key }));
    const wanted = { type: "subscribe", ...filter() };
    if (place) wanted.resume = place;
    mine.send(JSON.stringify(wanted));
  };
  mine.onmessage = (event) => { lastHeard = Date.now(); receive(JSON.parse(event.data)); };
  mine.onclose = (event) => closed(event);
}

function closed(event) {
  socket = null;
  if (event.code === 4001) {
    sessionStorage.removeItem("api-key");
    $("key").hidden = false;
    $("api-key").focus();
    say("an API key is needed", "down");
    return;
  }
  const since = new Date(lastHeard).toLocaleTimeString();
  say(place ? `disconnected, resuming from ${since}…` : "no connection, trying again…", "down");
  timer = setTimeout(connect, Math.random() * delay + 100);
  delay = Math.min(delay * 2, 30000);
}

function receive(message) {
  switch (message.type) {
    case "connected": beat = message.heartbeat_s; epochSeen = message.epoch; break;
    case "subscribed":
      $("key").hidden = true;
      if (!message.recovered) { clear(); loadPast(message.cursor); }
      place = { epoch: epochSeen, after: message.pos };
      break;
    case "caught_up": delay = 500; say("live", "live"); place.after = message.pos; break;
    case "heartbeat": place.after = message.pos; break;
    default:
      if (message.filing_id) { place.after = message.seq; show(message, true); }
  }
}
let epochSeen = "";

// What came before the live stream began: a page of REST, older than anything the socket brings.
async function loadPast(cursor) {
  const mine = ++generation;
  const wanted = filter();
  const query = new URLSearchParams({ limit: "100", cursor, min_priority: wanted.min_priority });
  const path = wanted.tickers.length === 1 ? encodeURIComponent(wanted.tickers[0]) : "recent";
  if (wanted.forms.length === 1) query.set("form", wanted.forms[0]);
  const key = sessionStorage.getItem("api-key");
  try {
    const answer = await fetch(`api/filings/${path}?${query}`, { headers: key ? { "X-API-Key": key } : {} });
    if (!answer.ok || mine !== generation) return;
    for (const message of (await answer.json()).filings) if (wants(wanted, message)) show(message, false);
  } catch { say("live; the past could not be loaded", "live"); }
}

function wants(wanted, message) {
  const tickers = wanted.tickers.map((ticker) => ticker.toUpperCase());
  const forms = wanted.forms.map((form) => form.toUpperCase());
  return (!tickers.length || message.tickers.some((ticker) => tickers.includes(ticker)))
    && (!forms.length || forms.includes(message.filing_type.toUpperCase()));
}

function clear() {
  rows.clear();
  $("list").replaceChildren();
  $("empty").hidden = false;
}

function show(message, live) {
  const known = rows.get(message.filing_id);
  if (known && known.version > message.version) return;
  const row = known ? known.row : document.createElement("tr");
  row.className = message.analysis.priority + (live && !message.replay && !known ? " new" : "");
  row.replaceChildren(time(message), cell("ticker", message.ticker || "–"), form(message), filing(message), mood(message));
  rows.set(message.filing_id, { row, version: message.version });
  if (!known) { if (live) $("list").prepend(row); else $("list").append(row); }
  $("empty").hidden = true;
  if (rows.size > MOST_ROWS) {
    const last = $("list").lastElementChild;
    for (const [id, entry] of rows) if (entry.row === last) { rows.delete(id); break; }
    last.remove();
  }
}

function cell(kind, text) {
  const made = document.createElement("td");
  made.className = kind;
  made.textContent = text;
  return made;
}

function span(kind, text, tag = "span") {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}

function time(message) {
  const moment = new Date(message.accepted_at || message.timestamp);
  const made = cell("time", moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }));
  made.title = moment.toLocaleString();
  return made;
}

function form(message) {
  const made = cell("form", message.filing_type);
  if (message.items.length) made.append(span("items", " " + message.items.join(" ")));
  return made;
}

function filing(message) {
  const made = cell("filing", "");
  const address = /^https?:\/\//.test(message.url) ? message.url : "";
  const headline = document.createElement(address ? "a" : "span");
  headline.textContent = message.headline || message.filing_type;
  if (address) { headline.href = address; headline.target = "_blank"; headline.rel = "noopener noreferrer"; }
  made.append(headline, span("company", message.company ? " · " + message.company : ""));
  if (message.analysis.summary) made.append(span("summary", message.analysis.summary, "p"));
  return made;
}

function mood(message) {
  const { label, sentiment } = message.analysis;
  const made = cell("mood", "");
  if (sentiment !== null) made.append(span(label, MOODS[label] || label));
  if (!message.final) made.append(span("checking", sentiment === null ? "checking…" : " checking…"));
  return made;
}

function changed() {
  const wanted = filter();
  const query = new URLSearchParams();
  if (wanted.tickers.length) query.set("tickers", wanted.tickers.join(","));
  if (wanted.forms.length) query.set("forms", wanted.forms.join(","));
  if (wanted.min_priority) query.set("min_priority", wanted.min_priority);
  history.replaceState(null, "", query.size ? "?" + query : location.pathname);
  place = null;
  clear();
  connect();
}

const asked = new URLSearchParams(location.search);
$("tickers").value = asked.get("tickers") || "";
$("forms").value = asked.get("forms") || "";
if (asked.get("min_priority")) $("priority").value = asked.get("min_priority");
$("filter").addEventListener("change", changed);
$("filter").addEventListener("submit", (event) => { event.preventDefault(); changed(); });
$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("api-key", $("api-key").value);
  $("api-key").value = "";
  connect();
});
// A connection that is open and says nothing for two heartbeats is dead.
setInterval(() => { if (socket && Date.now() - lastHeard > beat * 2000 + 1000) connect(); }, 2000);
connect();
