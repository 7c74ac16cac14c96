// The time range that the timeline and the charts show.

const MIN_DURATION = 0.01; // seconds

class View {
  constructor(from, to) {
    const margin = (to - from) * 0.01 || 1;
    this.whole = [from - margin, to + margin];
    [this.from, this.to] = this.whole;
    this.listeners = [];
  }

  onChange(listen) {
    this.listeners.push(listen);
  }

  get duration() {
    return this.to - this.from;
  }

  /** Shows a time range, limited to the run. */
  show(from, to) {
    const [first, last] = this.whole;
    const duration = Math.min(Math.max(to - from, MIN_DURATION), last - first);
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - duration / 2, first), last - duration);
    this.to = this.from + duration;
    for (const listen of this.listeners) listen();
  }

  /** Shows a time range with a margin of the same length on each side. */
  showAround(from, to) {
    const margin = Math.max(to - from, (this.whole[1] - this.whole[0]) / 500);
    this.show(from - margin, to + margin);
  }

  reset() {
    this.show(...this.whole);
  }

  /** Shows `factor` times the duration; the moment `around` keeps its position. */
  zoom(factor, around = (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  /** Moves by a share of the duration that is shown. */
  pan(share) {
    this.show(this.from + share * this.duration, this.to + share * this.duration);
  }

  /** Moves so that a time range is shown; zooms out only if it is longer than the view. */
  reveal(from, to) {
    if (from >= this.from && to <= this.to) return;
    if (to - from > this.duration) this.showAround(from, to);
    else this.show((from + to - this.duration) / 2, (from + to + this.duration) / 2);
  }
}

const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000, 315360000,
];

/** At most `most` round moments within a time range, and the step between them. */
function roundMoments(from, to, most) {
  const step = STEPS.find((one) => (to - from) / one <= most) || STEPS[STEPS.length - 1];
  const moments = [];
  for (let count = Math.ceil(from / step); count * step <= to; count += 1) moments.push(count * step);
  return [moments, step];
}
