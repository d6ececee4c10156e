// The keyboard: j/k and arrows, enter, escape, slash, m, p, f, c, ?. Keys that are typed into a field stay there.

export function listen(acts) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, select, textarea")) {
      if (event.key === "Escape") acts.list();
      return;
    }
    const act = acts.onCharts() ? elsewhere(event, acts) : named(event, acts);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function named(event, acts) {
  const inList = event.target.closest("#rows") !== null;
  switch (event.key) {
    case "j": return () => acts.step(1);
    case "k": return () => acts.step(-1);
    case "ArrowDown": return inList ? () => acts.step(1) : null;
    case "ArrowUp": return inList ? () => acts.step(-1) : null;
    case "PageDown": return inList ? () => acts.step(10) : null;
    case "PageUp": return inList ? () => acts.step(-10) : null;
    case "Home": return inList ? () => acts.step(-Infinity) : null;
    case "End": return inList ? () => acts.step(Infinity) : null;
    case "Enter": return event.target === document.body || inList ? acts.read : null;
    case "Escape": return acts.close;
    case "/": return acts.search;
    case "m": return acts.readAll;
    case "p": return acts.pause;
    default: return elsewhere(event, acts);
  }
}

// What works on both tabs.
function elsewhere(event, acts) {
  switch (event.key) {
    case "f": return () => acts.view("filings");
    case "c": return () => acts.view("charts");
    case "?": return acts.help;
    default: return null;
  }
}
