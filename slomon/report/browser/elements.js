// Elements are made here and nowhere else. Text only ever becomes text: nothing is parsed as HTML.

/** Attributes that are functions listen to the event of their name; null and false are left out. */
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

const SHOWN = 160;

/** Text from outside, apart from the direction and the length of what is around it. */
function quote(text, limit = SHOWN) {
  if (text === "") return make("span", { class: "nothing" }, "(empty)");
  const cut = text.length > limit;
  return make(
    "bdi",
    { class: "foreign", title: cut ? reveal(clip(text, 2000)) : null },
    reveal(clip(text, limit)),
  );
}

/** All of it, in a box that scrolls where it is long. */
function quoteWhole(text) {
  return text.length <= SHOWN
    ? quote(text)
    : make(
        "bdi",
        { class: "foreign whole", tabindex: 0, role: "group", "aria-label": "the whole text" },
        reveal(text),
      );
}

/** A moment: in UTC, and where one hovers in local time. */
function moment(seconds, exact = false) {
  return make(
    "time",
    { datetime: toIso(seconds), title: `${showTime(seconds, true)} UTC, ${showLocalTime(seconds)}` },
    showTime(seconds, exact),
  );
}

const FRAMED = window !== window.parent; // as in a notebook, whose frame is no place for others

/** A commit, which leads to where it can be looked at. */
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

/** Terms and what they are, as a description list. */
function describe(pairs, attributes = {}) {
  const groups = pairs.map(([term, ...values]) =>
    make("div", {}, make("dt", {}, term), make("dd", {}, ...values)),
  );
  return make("dl", attributes, ...groups);
}
