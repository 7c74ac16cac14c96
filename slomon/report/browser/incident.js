// All facts of one incident, and the attributions with their candidates and evidence.

const VERDICT_MEANINGS = {
  clear: "one change is the cause with a probability of at least 0.9",
  likely: "one change is the cause with a probability from 0.5 to 0.9",
  ambiguous: "several changes may be the cause, each with a probability below 0.5",
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
    describeAttribution(data, "Broken by", incident.brokenBy),
  ];
  if (incident.fixedBy) parts.push(describeAttribution(data, "Fixed by", incident.fixedBy));
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

function describeAttribution(data, heading, attribution) {
  const { verdict, candidates, omitted, evidence } = attribution;
  const names = ["commit", "author", "date", "age"];
  const rows = [...candidates]
    .reverse()
    .map((candidate, index) =>
      make(
        "tr",
        { class: index ? null : "newest" },
        make("td", { "data-name": names[0] }, commitLink(data, candidate.commit, 40)),
        make("td", { "data-name": names[1] }, quote(candidate.author, 60)),
        make("td", { "data-name": names[2] }, quote(candidate.date, 40)),
        make("td", { class: "number", "data-name": names[3] }, showDuration(candidate.age)),
      ),
    );
  const heads = names.map((word, index) =>
    make("th", { scope: "col", class: index === 3 ? "number" : null }, word),
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

/** A drawing of an interval within -1 to 1, with its middle and 0. */
function drawInterval(middle, low, high) {
  const shape = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
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
