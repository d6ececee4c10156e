// Drawing: columns over an axis, and bars beside their names, as SVG of our own. Pure but for making the elements.

const SPACE = "http://www.w3.org/2000/svg";
const LEFT = 52; // room for the numbers of the axis
const RIGHT = 12;
const TOP = 18;
const BOTTOM = 22;
const HEIGHT = 190;
const LETTER = 7; // about the width of a letter at 12 px

export function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// Round numbers from 0 to at least `most`, four or five of them.
export function ticks(most) {
  if (!(most > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((size) => size * 4 >= most);
  const found = [0];
  while (found[found.length - 1] < most) found.push(Number((found[found.length - 1] + step).toPrecision(12)));
  return found;
}

// Stacked columns. `series`: [{name, tone, values}], one value a label. `line`: {value, text} across, or null.
// `marks`: [{at, text}] upright, `at` counted in columns. `format` writes a value of the axis.
export function columns(width, { labels, series, line = null, marks = [], format, title }) {
  const sums = labels.map((_, place) => series.reduce((sum, each) => sum + each.values[place], 0));
  const steps = ticks(Math.max(...sums, line ? line.value : 0));
  const top = steps[steps.length - 1];
  const inner = Math.max(40, width - LEFT - RIGHT);
  const wide = inner / labels.length;
  const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const drawn = svg("svg", { width, height: HEIGHT, role: "img", "aria-label": title, class: "drawn" });
  for (const value of steps) {
    drawn.append(svg("line", { class: "grid", x1: LEFT, x2: LEFT + inner, y1: y(value), y2: y(value) }),
      svg("text", { class: "axis", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, format(value)));
  }
  labels.forEach((label, place) => {
    let below = 0;
    for (const { name, tone, values } of series) {
      if (!(values[place] > 0)) continue;
      const upper = y(below + values[place]);
      drawn.append(svg("rect", { class: `fill ${tone}`, x: LEFT + place * wide + wide * 0.1, width: Math.max(1, wide * 0.8), y: upper,
        height: Math.max(1, y(below) - upper) }, svg("title", null, `${label}${name ? `, ${name}` : ""}: ${format(values[place])}`)));
      below += values[place];
    }
  });
  drawn.append(...named(labels, wide, inner));
  if (line) {
    drawn.append(svg("line", { class: "limit", x1: LEFT, x2: LEFT + inner, y1: y(line.value), y2: y(line.value) }),
      svg("text", { class: "limit-text", x: LEFT + inner, y: y(line.value) - 5, "text-anchor": "end" }, line.text));
  }
  marks.forEach(({ at, text }, place) => drawn.append(...upright(LEFT + at * wide, text, place, LEFT + inner)));
  return drawn;
}

// As many labels as have room, the last one always among them.
function named(labels, wide, inner) {
  const longest = Math.max(...labels.map((label) => label.length)) * LETTER + 8;
  const every = Math.max(1, Math.ceil((labels.length * longest) / inner));
  return labels.map((label, place) => ((labels.length - 1 - place) % every ? null
    : svg("text", { class: "axis", x: Math.min(LEFT + (place + 0.5) * wide, LEFT + inner - (label.length * LETTER) / 2 + RIGHT), y: HEIGHT - 6,
      "text-anchor": "middle" }, label))).filter(Boolean);
}

function upright(x, text, place, end) {
  const ends = x + text.length * LETTER > end;
  return [svg("line", { class: "mark", x1: x, x2: x, y1: TOP - 6, y2: HEIGHT - BOTTOM }),
    svg("text", { class: "mark-text", x: ends ? x - 5 : x + 5, y: TOP + 2 + place * 15, "text-anchor": ends ? "end" : "start" }, text)];
}

// One bar a row, cut into parts of the row's own sum or of the largest row's. `rows`: [{name, text, parts: [{tone, value, title}]}].
export function bars(width, { rows, whole = false, title }) {
  const line = 40;
  const most = Math.max(1e-9, ...rows.map((row) => sum(row)));
  const drawn = svg("svg", { width, height: rows.length * line + 4, role: "img", "aria-label": title, class: "drawn" });
  rows.forEach((row, place) => {
    const at = place * line;
    const full = whole ? sum(row) || 1 : most;
    drawn.append(svg("text", { class: "name", x: 0, y: at + 14 }, row.name), svg("text", { class: "axis", x: width, y: at + 14, "text-anchor": "end" }, row.text),
      svg("rect", { class: "ground", x: 0, y: at + 20, width, height: 10, rx: 3 }));
    let x = 0;
    for (const { tone, value, title: told } of row.parts) {
      const wide = (value / full) * width;
      if (wide > 0) drawn.append(svg("rect", { class: `fill ${tone}`, x, y: at + 20, width: Math.max(1, wide), height: 10 }, svg("title", null, told)));
      x += wide;
    }
  });
  return drawn;
}

function sum(row) {
  return row.parts.reduce((all, part) => all + part.value, 0);
}
