// The charts of one endpoint, drawn by uPlot: its SLI against its SLO, and its requests and failures.

const AXIS_WIDTH = 72; // pixels, of the numbers at the left

class Chart {
  constructor(data, view) {
    this.data = data;
    this.view = view;
    this.container = get("chart");
    this.readout = get("readout");
    this.plots = [];
    this.redraw = () => this.plots.forEach((plot) => plot.redraw(false));
    view.onChange(beforeNextFrame(() => this.followView()));
    onColourChange(this.redraw);
    new ResizeObserver(() => this.resize(this.container.clientWidth)).observe(this.container);
  }

  show(endpoint) {
    for (const plot of this.plots) plot.destroy();
    this.plots = [];
    this.endpoint = endpoint;
    get("chart-endpoint").replaceChildren(endpointName(this.data, endpoint));
    const columns = this.data.series(endpoint);
    this.columns = columns;
    get("chart-note").replaceChildren(
      `SLO ${showSlo(endpoint.slo)} over ${showDuration(endpoint.window)}; ${showMany(endpoint.requests, "request")}, `,
      `${showCount(endpoint.failures)} failed; ${showMany(endpoint.incidents.length, "incident")}. `,
      columns.at.length
        ? `Each point is the lowest SLI within ${showDuration(this.data.raw.seriesStep)}.`
        : "Its SLI over time is not in this page.",
    );
    this.readout.replaceChildren();
    if (!columns.at.length) return;
    const slo = columns.at.map(() => endpoint.slo);
    this.plots = [
      new uPlot(
        this.options(210, this.sliScale(), this.sliSeries()),
        [columns.at, columns.sli, slo],
        this.container,
      ),
      new uPlot(
        this.options(130, [0, null], countSeries()),
        [columns.at, columns.requests, columns.failures],
        this.container,
      ),
    ];
    this.followView();
  }

  options(height, range, series) {
    const isShare = range[1] !== null;
    const axis = (more) => ({
      stroke: () => colour("muted"),
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      grid: { stroke: () => colour("rule"), width: 1 },
      ticks: { stroke: () => colour("rule"), width: 1, size: 4 },
      ...more,
    });
    return {
      width: this.container.clientWidth,
      height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      padding: [8, 12, isShare ? 7 : 0, 0], // room for half of a label
      scales: {
        x: { range: () => [this.view.from, this.view.to] },
        y: { range: (_plot, _low, high) => [range[0], range[1] ?? Math.max(1, high * 1.05)] },
      },
      axes: [
        axis({
          show: !isShare,
          size: 26,
          gap: 2,
          splits: (plot) => this.moments(plot)[0],
          values: (plot, splits) => splits.map((seconds) => showAxisTime(seconds, this.moments(plot)[1])),
        }),
        axis({ size: AXIS_WIDTH, values: (_plot, splits) => splits.map(isShare ? showShare : showCount) }),
      ],
      series: [{}, ...series],
      cursor: {
        sync: { key: "slomon" },
        y: false,
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => this.view.reset() },
        points: { size: 7 },
        dataIdx: (plot, _series, nearest, seconds) => findBucket(plot.data[0], nearest, seconds),
      },
      hooks: {
        drawClear: [(plot) => this.drawBackground(plot)],
        setSelect: [(plot) => this.zoomTo(plot)],
        setCursor: [(plot) => this.showReadout(plot.cursor.idxs[1])],
      },
    };
  }

  moments(plot) {
    return roundMoments(this.view.from, this.view.to, Math.max(2, Math.floor((plot.width - AXIS_WIDTH) / 95)));
  }

  sliScale() {
    const minimum = this.columns.sli.reduce(
      (least, sli) => (sli === null ? least : Math.min(least, sli)),
      this.endpoint.slo,
    );
    const reach = 1 - minimum || 0.01;
    return [Math.max(0, 1 - reach * 1.1), 1 + reach * 0.06];
  }

  sliSeries() {
    return [
      {
        stroke: () => colour("line"),
        width: 1.5,
        cap: "square", // keeps a bucket narrower than a pixel visible
        paths: drawBuckets,
        points: { show: false },
      },
      { stroke: () => colour("slo"), width: 1.5, dash: [6, 4], points: { show: false } },
    ];
  }

  /** Draws the incidents of the endpoint and the changes of its service behind the lines. */
  drawBackground(plot) {
    const { ctx: context, bbox } = plot;
    const pixel = window.devicePixelRatio || 1;
    const x = (seconds) =>
      Math.min(Math.max(plot.valToPos(seconds, "x", true), bbox.left), bbox.left + bbox.width);
    context.save();
    for (const incident of this.endpoint.incidents) {
      const left = x(incident.start);
      const right = x(this.data.shownEnd(incident));
      if (left === right && (left === bbox.left || left === bbox.left + bbox.width)) continue;
      context.fillStyle = colour("shade");
      context.fillRect(left, bbox.top, Math.max(pixel, right - left), bbox.height);
    }
    context.fillStyle = colour("deploy");
    context.globalAlpha = 0.4;
    for (const deploy of this.data.deploys) {
      const inView = deploy.at >= this.view.from && deploy.at <= this.view.to;
      if (inView && this.data.concerns(deploy, this.endpoint.service))
        context.fillRect(Math.round(x(deploy.at)), bbox.top, pixel, bbox.height);
    }
    context.restore();
  }

  zoomTo(plot) {
    if (plot.select.width < 4) return;
    const [from, to] = [plot.select.left, plot.select.left + plot.select.width].map((x) =>
      plot.posToVal(x, "x"),
    );
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.view.show(from, to);
  }

  showReadout(index) {
    const { at, sli, requests, failures } = this.columns;
    if (index === null || index === undefined || requests[index] === null) {
      this.readout.replaceChildren();
      return;
    }
    this.readout.replaceChildren(
      moment(at[index]),
      ` UTC: lowest SLI ${showSli(sli[index])}; `,
      `${showMany(requests[index], "request")}, ${showCount(failures[index])} failed`,
    );
  }

  followView() {
    for (const plot of this.plots) plot.setScale("x", { min: this.view.from, max: this.view.to });
  }

  resize(width) {
    if (!width) return;
    for (const plot of this.plots) plot.setSize({ width, height: plot.height });
  }
}

/** Draws each bucket from its start to its end: the start of the next bucket, or of a gap. */
function drawBuckets(plot, series, first, last) {
  const [at, values] = [plot.data[0], plot.data[series]];
  const x = (index) => plot.valToPos(at[index], "x", true);
  const stroke = new Path2D();
  for (let index = first; index <= last; index += 1) {
    if (values[index] === null) continue;
    const y = plot.valToPos(values[index], "y", true);
    if (index === first || values[index - 1] === null) stroke.moveTo(x(index), y);
    else stroke.lineTo(x(index), y);
    stroke.lineTo(x(index + 1), y);
  }
  return { stroke };
}

/** The index of the bucket that contains a moment; `nearest` is the bucket that begins nearest. */
function findBucket(at, nearest, seconds) {
  return at[nearest] <= seconds ? nearest : nearest > 0 ? nearest - 1 : null;
}

function countSeries() {
  const bars = () => uPlot.paths.bars({ size: [1, 60], align: 1, gap: 0 });
  return [
    { fill: () => colour("bar"), width: 0, paths: bars(), points: { show: false } },
    { fill: () => colour("open"), width: 0, paths: bars(), points: { show: false } },
  ];
}
