// How values read: ages, moments, figures, headlines. Pure, but for the browser's own locale and time zone.

export const MOODS = { bullish: ["▲", "bullish"], bearish: ["▼", "bearish"], neutral: ["■", "neutral"] };

// Controls and characters that turn the direction of text could make a figure read otherwise than it is filed.
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

export function plain(text) {
  return String(text ?? "").replace(HARMFUL, "\ufffd");
}

export function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

// From acceptance to a message: what the service is measured by, so with a decimal while it is short.
export function delay(milliseconds) {
  if (milliseconds < 0) return "";
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : age(milliseconds);
}

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

export function clockTime(moment) {
  return new Date(moment).toLocaleTimeString([], CLOCK);
}

export function newYork(moment) {
  return new Date(moment).toLocaleTimeString("en-GB", { ...CLOCK, timeZone: "America/New_York" });
}

export function newYorkDay(moment) {
  const day = { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "America/New_York" };
  return new Date(moment).toLocaleDateString("en-GB", day);
}

// The stream's headline starts with "TICK (Company): " and names the form; in the list both have a place of their own.
export function shortHeadline(message) {
  let text = message.headline || message.filing_type;
  const opening = `${message.ticker} (${message.company}): `;
  if (text.startsWith(opening)) text = text.slice(opening.length);
  else if (message.company && text.startsWith(`${message.company}: `)) text = text.slice(message.company.length + 2);
  if (message.filing_type) text = text.replace(naming(message.filing_type), "");
  return plain(text.charAt(0).toUpperCase() + text.slice(1));
}

// " (8-K)" or " (8-K 1.01)" in a headline.
function naming(form) {
  return new RegExp(` \\(${form.replace(/[^\w]/g, "\\$&")}( [\\d., ]+)?\\)`);
}

// A figure with its digits grouped and nothing rounded: "$3,140,882", "12.5 %", "1.64 USD/share".
export function figure(fact) {
  const text = String(fact.value);
  const parts = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  if (!parts) return plain(text);
  const minus = parts[1] ? "−" : "";
  const digits = parts[2].replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (parts[3] || "");
  if (fact.unit === "USD") return `${minus}$${digits}`;
  if (fact.unit === "USD/share") return `${minus}$${digits} a share`;
  return `${minus}${digits}${fact.unit ? ` ${plain(fact.unit)}` : ""}`;
}

export function isNumber(fact) {
  return /^-?\d+(\.\d+)?$/.test(String(fact.value));
}

export function factName(name) {
  const words = plain(name).replaceAll("_", " ").replace(/\beps\b/, "EPS");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function share(number) {
  return `${Math.round(number * 100)} %`;
}

export function signed(number) {
  return `${number < 0 ? "−" : number > 0 ? "+" : ""}${Math.abs(number).toFixed(2)}`;
}

export function dollars(text) {
  const number = Number(text);
  return number > 0 && number < 0.01 ? `$${number.toFixed(5)}` : `$${number.toFixed(2)}`;
}
