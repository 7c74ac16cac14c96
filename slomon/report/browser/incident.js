// One incident in full, and how sure it is who did it.

const VERDICTS_MEAN = {
  clear: "the only candidate and nothing speaks against it, or the endpoint met its SLO until it came, and broke with it",
  ambiguous: "there are several candidates, or the failure rate before and after it can\u2019t be told apart",
  stale: "older than a change that breaks something usually is",
  none: "no change is known that could have done it",
};

function endpointName(data, endpoint, limit = SHOWN) {
  return make("span", { class: "endpoint" }, quote(endpoint.verb, 20), " ", quote(endpoint.resource, limit));
}

/** How an incident ended: when it closed, or that nobody knows. */
function showEnd(incident) {
  if (incident.state === "open") return ["still open"];
  const expired = incident.state === "expired" ? ", as no more requests came" : "";
  return [moment(incident.end, true), expired];
}

function describeIncident(data, incident) {
  const { endpoint } = incident;
  const pairs = [
    ["service", quoteWhole(data.services[endpoint.service])],
    ["endpoint", quote(endpoint.verb, 20), " ", quoteWhole(endpoint.resource)],
    ["SLO", `${showSlo(endpoint.slo)} over ${showSpan(endpoint.window)}`],
    ["start", moment(incident.start, true)],
    ["end", ...showEnd(incident)],
    ["lasted", showSpan(incident.lasted)],
    [
      "first failure",
      moment(incident.onset, true),
      `, ${showSpan(incident.start - incident.onset)} before the start`,
    ],
    ["last failure", moment(incident.lastFailure, true)],
    ["lowest SLI", showSli(incident.lowest), " at ", moment(incident.lowestAt, true)],
    ["failed", `${showCount(incident.failures)} of ${showMany(incident.requests, "request")}`],
    ["burn rate", showNumber(incident.burnRate)],
    ["error budget burnt", showShare(incident.budgetBurnt)],
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
    make("strong", {}, "Broke within a minute of it: "),
    ...names,
    ". One cause upstream is likelier than many.",
  );
}

function describeAttribution(data, heading, attribution) {
  const { verdict, candidates, omitted, evidence } = attribution;
  const names = ["commit", "author", "its date", "before the crossing"];
  const rows = [...candidates]
    .reverse()
    .map((candidate, place) =>
      make(
        "tr",
        { class: place ? null : "newest" },
        make("td", { "data-name": names[0] }, commitLink(data, candidate.commit, 40)),
        make("td", { "data-name": names[1] }, quote(candidate.author, 60)),
        make("td", { "data-name": names[2] }, quote(candidate.date, 40)),
        make("td", { class: "number", "data-name": names[3] }, showSpan(candidate.age)),
      ),
    );
  const heads = names.map((word, place) =>
    make("th", { scope: "col", class: place === 3 ? "number" : null }, word),
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
    make("p", { class: "note" }, `${verdict}: ${VERDICTS_MEAN[verdict]}.`),
    ...table,
  );
}

/** Failures before and after the newest candidate, and the interval of the difference, drawn. */
function describeEvidence(evidence) {
  const { before, after, difference, low, high } = evidence;
  const told = [before, after].map(
    (counts) => `${showCount(counts.failures)} of ${showCount(counts.requests)} failed`,
  );
  const word = low > 0 ? "rose" : high < 0 ? "fell" : "can\u2019t be told apart";
  return make(
    "div",
    { class: "evidence" },
    make("p", {}, `Before the newest candidate ${told[0]}, after it ${told[1]}: the failure rate ${word}.`),
    make(
      "p",
      {},
      `${showPoints(difference)} points, between ${showPoints(low)} and ${showPoints(high)} with 95 % confidence `,
      drawInterval(difference, low, high),
    ),
  );
}

const SVG = "http://www.w3.org/2000/svg";

/** An interval within -1 to 1, with its middle and where 0 is. */
function drawInterval(middle, low, high) {
  const shape = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const reach = Math.max(Math.abs(low), Math.abs(high), 1e-9);
  const place = (share) => 60 + (54 * share) / reach;
  const drawing = shape("svg", {
    class: "interval",
    viewBox: "0 0 120 12",
    width: 120,
    height: 12,
    "aria-hidden": "true",
  });
  drawing.append(
    shape("line", { class: "zero", x1: 60, x2: 60, y1: 0, y2: 12 }),
    shape("line", { class: "span", x1: place(low), x2: place(high), y1: 6, y2: 6 }),
    shape("circle", { class: "middle", cx: place(middle), cy: 6, r: 3.5 }),
  );
  return drawing;
}
