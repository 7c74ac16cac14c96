// All facts of one incident, and the attributions with their candidates and evidence.

const VERDICT_MEANINGS = {
  clear: "one change is the cause with a probability of at least 0.9",
  likely: "one change is the cause with a probability from 0.5 to 0.9",
  ambiguous: "the most probable change has a probability below 0.5",
  unexplained: "most probably no known change is the cause",
  none: "no change is known",
};

function endpointName(data, endpoint, limit = MAX_SHOWN) {
  return make("span", { class: "endpoint" }, quote(endpoint.verb, 20), " ", quote(endpoint.resource, limit));
}

/** When and how an incident ended. */
function showEnd(incident) {
  if (incident.state === "open") return ["still open"];
  const expired = incident.state === "expired" ? " (expired: no more traffic)" : "";
  return [moment(incident.end, true), expired];
}

function describeIncident(data, incident) {
  const { endpoint } = incident;
  const pairs = [
    ["service", quoteWhole(data.services[endpoint.service])],
    ["endpoint", quote(endpoint.verb, 20), " ", quoteWhole(endpoint.resource)],
    ["SLO", `${showSlo(endpoint.slo)} over ${showDuration(endpoint.window)}`],
    ["start", moment(incident.start, true)],
    ["end", ...showEnd(incident)],
    ["lasted", showDuration(incident.duration)],
    [
      "onset",
      moment(incident.onset, true),
      `, ${showDuration(incident.start - incident.onset)} before the start`,
    ],
    ["last failure", moment(incident.lastFailure, true)],
    ["lowest SLI", showSli(incident.minSli), " at ", moment(incident.minSliAt, true)],
    ["failed", `${showCount(incident.failures)} of ${showMany(incident.requests, "request")}`],
    ["burn rate", showNumber(incident.burnRate)],
    ["error budget consumed", showShare(incident.budgetConsumed)],
  ];
  const parts = [
    describe(pairs, { class: "facts" }),
    ...drawFailureRate(data, incident),
    describeAttribution(data, "Broken by", incident.brokenBy, "no known change"),
  ];
  if (incident.fixedBy)
    parts.push(describeAttribution(data, "Fixed by", incident.fixedBy, "recovered by itself"));
  if (incident.coOccurring.length) parts.push(describeCoOccurring(data, incident));
  return make("div", { class: "incident" }, ...parts);
}

function describeCoOccurring(data, incident) {
  const names = incident.coOccurring.flatMap((service) => [", ", quote(data.services[service], 40)]).slice(1);
  return make(
    "p",
    { class: "co-occurring" },
    make("strong", {}, "Also broken within a minute: "),
    ...names,
    ". A common upstream cause is likely.",
  );
}

function describeAttribution(data, heading, attribution, otherwise) {
  const { verdict, candidates, suspect, unexplained, omitted, evidence } = attribution;
  const names = ["commit", "probability", "delay", "author", "date"];
  const rows = [...candidates]
    .reverse()
    .map((candidate) =>
      make(
        "tr",
        { class: candidate === suspect ? "suspect" : null },
        make("td", { "data-name": names[0] }, commitLink(data, candidate.commit, 40)),
        make("td", { class: "number", "data-name": names[1] }, showProbability(candidate.probability)),
        make("td", { class: "number", "data-name": names[2] }, showDuration(candidate.delay)),
        make("td", { "data-name": names[3] }, quote(candidate.author, 60)),
        make("td", { "data-name": names[4] }, quote(candidate.date, 40)),
      ),
    );
  if (rows.length)
    rows.push(
      make(
        "tr",
        {},
        make("td", { "data-name": names[0] }, otherwise),
        make("td", { class: "number", "data-name": names[1] }, showProbability(unexplained)),
        ...names.slice(2).map((name) => make("td", { "data-name": name }, NOTHING)),
      ),
    );
  const heads = names.map((word, index) =>
    make("th", { scope: "col", class: index === 1 || index === 2 ? "number" : null }, word),
  );
  const table = rows.length
    ? [
        make(
          "div",
          { class: "wide" },
          make("table", { class: "cards" }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)),
        ),
      ]
    : [];
  if (omitted) table.push(make("p", { class: "note" }, `and ${showMany(omitted, "earlier candidate")}`));
  if (evidence) table.push(describeEvidence(evidence));
  return make(
    "section",
    { class: "attribution" },
    make("h4", {}, `${heading} `, badge(verdict)),
    make("p", { class: "note" }, `${verdict}: ${VERDICT_MEANINGS[verdict]}.`),
    ...table,
  );
}

/**
 * The commit that an attribution names and its probability, with the verdict if it is not clear. If it
 * names none, `otherwise` and its probability.
 */
function nameCause(data, attribution, otherwise, limit = 40) {
  const named = namedBy(attribution);
  const probability = named ? attribution.suspect.probability : attribution.unexplained;
  const what = named ? commitLink(data, named, limit) : otherwise;
  const doubt = named && attribution.verdict !== "clear" ? badge(attribution.verdict) : "";
  return [what, ` ${showProbability(probability)} `, doubt];
}

/** The failures before and after the newest candidate, and the interval of the difference. */
function describeEvidence(evidence) {
  const { before, after, difference, low, high } = evidence;
  const [earlier, later] = [before, after].map(
    (counts) => `${showCount(counts.failures)} of ${showCount(counts.requests)} failed`,
  );
  const word = low > 0 ? "rose" : high < 0 ? "fell" : "did not change significantly";
  return make(
    "div",
    { class: "evidence" },
    make("p", {}, `Before the newest candidate ${earlier}, after it ${later}: the failure rate ${word}.`),
    make(
      "p",
      {},
      `${showPoints(difference)} percentage points, between ${showPoints(low)} and ${showPoints(high)} with 95 % confidence `,
      drawInterval(difference, low, high),
    ),
  );
}

const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const RATES = { width: 480, height: 72 };
const MOST_BARS = 120;

/**
 * The failure rate of the endpoint around the onset, with the candidates as lines. Nothing if the
 * page has no requests of the endpoint over time: the numbers below are then all that is known.
 */
function drawFailureRate(data, incident) {
  const step = data.raw.seriesStep;
  const times = incident.brokenBy.candidates.map(({ delay }) => incident.onset - delay);
  const before = Math.max(incident.endpoint.window, 8 * step);
  const first = Math.max(Math.min(incident.onset, ...times) - before, incident.onset - (MOST_BARS / 2) * step);
  const last = Math.min(data.shownEnd(incident) + step, first + MOST_BARS * step);
  const { at, requests, failures } = data.series(incident.endpoint);
  const bars = at
    .map((moment, index) => ({ moment, rate: requests[index] ? failures[index] / requests[index] : null }))
    .filter(({ moment, rate }) => rate !== null && moment + step > first && moment < last);
  if (!bars.length) return [];
  const { width, height } = RATES;
  const x = (moment) => Math.min(Math.max(((moment - first) / (last - first)) * width, 0), width);
  const most = Math.max(...bars.map(({ rate }) => rate), 1e-9);
  const drawing = shape("svg", { class: "rates", viewBox: `0 0 ${width} ${height}`, role: "img" });
  const title = shape("title", {});
  title.append(`failure rate around the onset, at most ${showShare(most)}; candidates are lines`);
  drawing.append(title);
  for (const { moment, rate } of bars) {
    const tall = (rate / most) * (height - 8);
    const wide = Math.max(x(moment + step) - x(moment) - 0.5, 0.5);
    drawing.append(shape("rect", { class: "rate", x: x(moment), y: height - tall, width: wide, height: tall }));
  }
  for (const [index, moment] of times.entries()) {
    if (moment < first || moment > last) continue;
    const name = incident.brokenBy.candidates[index] === incident.brokenBy.suspect ? "suspect" : "candidate";
    drawing.append(shape("line", { class: name, x1: x(moment), x2: x(moment), y1: 0, y2: height }));
  }
  drawing.append(
    shape("line", { class: "onset", x1: x(incident.onset), x2: x(incident.onset), y1: 0, y2: height }),
  );
  const note = `Failure rate from ${showTime(first)} to ${showTime(last)}, at most ${showShare(most)}. Dashed: the onset. Lines: the candidates, the most probable one in red.`;
  return [drawing, make("p", { class: "note" }, note)];
}

/** A drawing of an interval within -1 to 1, with its middle and 0. */
function drawInterval(middle, low, high) {
  const reach = Math.max(Math.abs(low), Math.abs(high), 1e-9);
  const x = (share) => 60 + (54 * share) / reach;
  const drawing = shape("svg", {
    class: "interval",
    viewBox: "0 0 120 12",
    width: 120,
    height: 12,
    "aria-hidden": "true",
  });
  drawing.append(
    shape("line", { class: "zero", x1: 60, x2: 60, y1: 0, y2: 12 }),
    shape("line", { class: "span", x1: x(low), x2: x(high), y1: 6, y2: 6 }),
    shape("circle", { class: "middle", cx: x(middle), cy: 6, r: 3.5 }),
  );
  return drawing;
}
