// Making elements. Text from outside goes through textContent only; the policy of the page (Trusted Types) enforces it.

export const $ = (id) => document.getElementById(id);

// `el("p", { class: "quiet", title: "…" }, "text", child, null)`: strings become text, null and "" are left out.
export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

export function button(label, act, attributes) {
  const made = el("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

// Set the text only where it changes, so that nothing is laid out again for nothing.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
