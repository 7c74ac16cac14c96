// Numbers, times and shares as text for people.

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

/** A number with one decimal. Below 1 it has two significant digits, so it never reads as 0. */
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

/** A share from 0 to 1 as a percentage. A share below 1 never reads as 100 %. */
function showShare(share) {
  if (share === null) return NOTHING;
  const digits = digitsOf(share);
  const shown = (100 * share).toFixed(digits);
  return `${Number(shown) === 100 && share < 1 ? (100 * share).toFixed(digits + 2) : Number(shown)} %`;
}

/** A probability, rounded down: one below the limit of a verdict never reads as the limit. */
function showProbability(probability) {
  return (Math.floor(Number((100 * probability).toFixed(4))) / 100).toFixed(2);
}

/** An SLI, never rounded up: an SLI below its SLO must not read as the SLO. */
function showSli(sli) {
  if (sli === null) return NOTHING;
  const unit = 10 ** digitsOf(sli);
  return `${Math.floor(Number((100 * sli * unit).toFixed(6))) / unit} %`;
}

/** An SLO, as it was given. */
function showSlo(slo) {
  return `${Number((100 * slo).toPrecision(12))} %`;
}

/** The decimals of a share as a percentage: more, the nearer it is to 1. */
function digitsOf(share) {
  const rest = Math.abs(1 - share);
  return rest > 0 && rest < 0.1 ? Math.min(7, Math.ceil(-Math.log10(rest))) : 1;
}

/** A share that may be negative or above 1. */
function showPercent(share) {
  return share === null ? NOTHING : `${showAmount(100 * share)} %`;
}

/** A difference of shares in percentage points, with its sign. */
function showPoints(difference) {
  const points = 100 * difference;
  const digits = Math.abs(points) < 1 ? 3 : 1;
  return `${points < 0 ? "\u2212" : "+"}${Math.abs(points).toFixed(digits)}`;
}

/** A duration in its two largest units: `2d 3h`, `25m 54s`, `2.02 s`, `35 ms`. */
function showDuration(seconds) {
  if (seconds === null) return NOTHING;
  if (seconds < 0) return `\u2212${showDuration(-seconds)}`;
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

/** A moment in UTC, to the second or, if `exact`, to the millisecond. */
function showTime(seconds, exact = false) {
  const iso = toIso(seconds);
  return `${iso.slice(0, -14)} ${iso.slice(-13, exact ? -1 : -5)}`;
}

/** A moment on an axis, with the parts that differ between ticks of this step. */
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

/** A name from code as words: `largest_lateness`, `repair.p90`. */
function showName(name) {
  return name.replace(/[._]/g, " ");
}

/** The beginning of a long text; a character is never halved. */
function clip(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}\u2026`;
}

/** Text with control, invisible and direction-changing characters escaped. */
function reveal(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Any text as part of an address; a lone surrogate becomes the replacement character. */
function encode(text) {
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, "\ufffd"));
}
