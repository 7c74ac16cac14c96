// The stretch of time that the timeline and the charts show: one for all of them.

const SHORTEST = 0.01; // seconds

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

  get span() {
    return this.to - this.from;
  }

  /** Shows a stretch as it is, or what of it is inside the run. */
  show(from, to) {
    const [first, last] = this.whole;
    const span = Math.min(Math.max(to - from, SHORTEST), last - first);
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - span / 2, first), last - span);
    this.to = this.from + span;
    for (const listen of this.listeners) listen();
  }

  /** Shows a stretch with as much again on each side. */
  showAround(from, to) {
    const margin = Math.max(to - from, (this.whole[1] - this.whole[0]) / 500);
    this.show(from - margin, to + margin);
  }

  reset() {
    this.show(...this.whole);
  }

  /** Shows `factor` times as much, around a moment that stays where it is. */
  zoom(factor, around = (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  /** Moves by a share of what is shown. */
  pan(share) {
    this.show(this.from + share * this.span, this.to + share * this.span);
  }

  /** Moves as little as shows a stretch, which may be longer than what is shown. */
  reveal(from, to) {
    if (from >= this.from && to <= this.to) return;
    if (to - from > this.span) this.showAround(from, to);
    else this.show((from + to - this.span) / 2, (from + to + this.span) / 2);
  }
}

const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000, 315360000,
];

/** Round moments of a stretch, at most `most` of them, and the step between them. */
function roundMoments(from, to, most) {
  const step = STEPS.find((one) => (to - from) / one <= most) || STEPS[STEPS.length - 1];
  const moments = [];
  for (let place = Math.ceil(from / step); place * step <= to; place += 1) moments.push(place * step);
  return [moments, step];
}
