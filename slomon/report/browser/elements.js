// The only place that makes HTML elements. Text stays text: nothing is parsed as HTML.

/** An element. A function as attribute listens to the event of that name; null and false are skipped. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function get(id) {
  return document.getElementById(id);
}

const MAX_SHOWN = 160; // characters

/** Text from outside, clipped. Its text direction doesn't affect the text around it. */
function quote(text, limit = MAX_SHOWN) {
  if (text === "") return make("span", { class: "nothing" }, "(empty)");
  const cut = text.length > limit;
  return make(
    "bdi",
    { class: "foreign", title: cut ? reveal(clip(text, 2000)) : null },
    reveal(clip(text, limit)),
  );
}

/** All of a text from outside; a long one is in a box that scrolls. */
function quoteWhole(text) {
  return text.length <= MAX_SHOWN
    ? quote(text)
    : make(
        "bdi",
        { class: "foreign whole", tabindex: 0, role: "group", "aria-label": "the whole text" },
        reveal(text),
      );
}

/** A moment in UTC; the tooltip has local time. */
function moment(seconds, exact = false) {
  return make(
    "time",
    { datetime: toIso(seconds), title: `${showTime(seconds, true)} UTC, ${showLocalTime(seconds)}` },
    showTime(seconds, exact),
  );
}

const FRAMED = window !== window.parent; // as in a notebook: links open outside of the frame

/** A commit, as a link if its address is known. */
function commitLink(data, commit, limit = 12) {
  const href = data.urlOf(commit);
  if (href === null) return quote(commit, limit);
  const target = FRAMED && "_blank";
  return make("a", { href, target, rel: "noopener noreferrer", class: "commit" }, quote(commit, limit));
}

function badge(word) {
  return make("span", { class: `badge ${word}` }, word);
}

function button(words, press, attributes = {}) {
  return make("button", { type: "button", click: press, ...attributes }, words);
}

/** Terms and their values as a description list. */
function describe(pairs, attributes = {}) {
  const groups = pairs.map(([term, ...values]) =>
    make("div", {}, make("dt", {}, term), make("dd", {}, ...values)),
  );
  return make("dl", attributes, ...groups);
}
