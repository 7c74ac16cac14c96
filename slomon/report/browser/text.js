// Numbers, times and shares as people read them.

const COUNT = new Intl.NumberFormat("en");
const ROUGH = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const TENTHS = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const PARTS = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const UNITS = [
  ["d", 86400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];
const NOTHING = "\u2013";

function showCount(number) {
  return number === null ? NOTHING : COUNT.format(number);
}

/** A number to its tenths, and what is less than one to two digits: it never reads as none. */
function showAmount(number) {
  if (number < 0) return `\u2212${showAmount(-number)}`;
  return (number < 1 ? PARTS : TENTHS).format(number);
}

/** A count with its noun: `1 incident`, `2 incidents`. */
function showMany(number, noun) {
  return `${COUNT.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function showNumber(number) {
  return number === null ? NOTHING : ROUGH.format(number);
}

/** A share from 0 to 1. One that is near to 1 and isn't 1 never reads as 100 %. */
function showShare(share) {
  if (share === null) return NOTHING;
  const digits = digitsOf(share);
  const shown = (100 * share).toFixed(digits);
  return `${Number(shown) === 100 && share < 1 ? (100 * share).toFixed(digits + 2) : Number(shown)} %`;
}

/** An SLI, never rounded up: one below its SLO must not read as that. */
function showSli(sli) {
  if (sli === null) return NOTHING;
  const unit = 10 ** digitsOf(sli);
  return `${Math.floor(Number((100 * sli * unit).toFixed(6))) / unit} %`;
}

/** An SLO, as it was given. */
function showSlo(slo) {
  return `${Number((100 * slo).toPrecision(12))} %`;
}

/** How many digits a share has as a percentage: more of them the nearer it is to 1. */
function digitsOf(share) {
  const rest = Math.abs(1 - share);
  return rest > 0 && rest < 0.1 ? Math.min(7, Math.ceil(-Math.log10(rest))) : 1;
}

/** A share that may be negative, or more than all. */
function showPercent(share) {
  return share === null ? NOTHING : `${showAmount(100 * share)} %`;
}

/** A difference of shares, in points, with its sign. */
function showPoints(difference) {
  const points = 100 * difference;
  const digits = Math.abs(points) < 1 ? 3 : 1;
  return `${points < 0 ? "\u2212" : "+"}${Math.abs(points).toFixed(digits)}`;
}

/** Seconds by their two largest units: `2d 3h`, `25m 54s`, `2.02 s`, `35 ms`. */
function showSpan(seconds) {
  if (seconds === null) return NOTHING;
  if (seconds < 0) return `\u2212${showSpan(-seconds)}`;
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 2 : 1))} s`;
  let rest = Math.round(seconds);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || parts.length) parts.push(count ? `${count}${unit}` : "");
  }
  return parts.slice(0, 2).filter(Boolean).join(" ");
}

/** A moment in UTC, to the second or, where `exact`, to the millisecond. */
function showTime(seconds, exact = false) {
  const iso = toIso(seconds);
  return `${iso.slice(0, -14)} ${iso.slice(-13, exact ? -1 : -5)}`;
}

/** The same, as far as it tells neighbours apart on an axis with this step. */
function showAxisTime(seconds, step) {
  const iso = toIso(seconds);
  if (step >= 86400 || (step >= 60 && seconds % 86400 === 0)) return iso.slice(0, -14);
  return step >= 60 ? iso.slice(-13, -8) : iso.slice(-13, step >= 1 ? -5 : -1);
}

function showLocalTime(seconds) {
  return `${LOCAL.format(seconds * 1000)} here`;
}

function toIso(seconds) {
  return new Date(Math.floor(seconds * 1000 + 1e-3)).toISOString();
}

/** Names as they stand in code, as words: `largest_lateness`, `repair.p90`. */
function showName(name) {
  return name.replace(/[._]/g, " ");
}

/** The beginning of a text that may be long, never half of a character. */
function clip(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}\u2026`;
}

/** Text in which what has no shape, or turns the direction of all that follows, is spelt out. */
function reveal(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Any text as a part of an address; what is no character becomes the one that stands for it. */
function encode(text) {
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, "\ufffd"));
}
