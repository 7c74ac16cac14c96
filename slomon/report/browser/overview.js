// The run at a glance: figures, what became of every line, and who had most incidents.

function showFigures(data) {
  const figure = (name) => data.raw.overall[name][0];
  const states = [
    ["open", figure("repair.open")],
    ["expired", figure("repair.expired")],
  ];
  const remarks = states.filter(([, count]) => count).map(([word, count]) => `${showCount(count)} ${word}`);
  const left = figure("budget.left");
  const tiles = [
    ["incidents", showCount(figure("incidents")), remarks.join(", ") || "none of them open"],
    [
      "mean time to repair",
      showSpan(figure("repair.mean")),
      `over ${showCount(figure("repair.closed"))} closed`,
    ],
    ["median repair", showSpan(figure("repair.median")), showMost(figure("repair.p90"))],
    ["longest repair", showSpan(figure("repair.longest")), "of the closed"],
    ["median detection", showSpan(figure("detection")), "from the change to the incident"],
    [
      "error budget left",
      showPercent(left),
      `${showCount(figure("budget.failures"))} failures, ${showAmount(figure("budget.allowed"))} allowed`,
    ],
    [
      "change failure rate",
      showShare(figure("delivery.change_failure_rate")),
      `${showCount(figure("delivery.failed"))} of ${showMany(figure("delivery.deployments"), "deployment")}${showFrequency(figure("delivery.frequency"))}`,
    ],
    ["recovery of deployments", showSpan(figure("delivery.recovery_time")), "median, of the failed"],
  ];
  get("figures").append(
    ...tiles.map(([term, value, remark]) =>
      make("div", {}, make("dt", {}, term), make("dd", {}, value, make("small", {}, remark))),
    ),
  );
}

function showExtent(data) {
  const { services, endpoints } = data.raw.leftOut;
  const counts = [
    showMany(data.counted + services, "service"),
    showMany(data.endpoints.length + endpoints, "endpoint"),
  ].join(", ");
  const requests = `${showMany(data.raw.overall["budget.requests"][0], "request")}`;
  if (data.began === data.ended && !data.raw.accounting.accesses) {
    get("extent").append(`No request was counted. ${counts}.`);
    get("timeline").hidden = get("chart-section").hidden = true; // there is no time to show
    return;
  }
  const span = data.ended - data.began;
  get("extent").append(
    moment(data.began),
    " to ",
    moment(data.ended),
    ` UTC (${showSpan(span)}). ${counts}, ${requests}.`,
  );
}

/** What of a long run the page doesn't show. */
function showLeftOut(data) {
  const counts = data.raw.leftOut;
  const told = [
    ["incident", counts.incidents, "the shortest"],
    ["endpoint", counts.endpoints, "those with fewest incidents and requests"],
    ["service", counts.services, "theirs"],
    ["change", counts.changes, "old ones that no incident shown here may be due to"],
  ];
  const words = told
    .filter(([, count]) => count)
    .map(([noun, count, which]) => `${showMany(count, noun)} (${which})`);
  if (counts.series) words.push(`the SLI over time of ${showMany(counts.series, "endpoint")}`);
  if (data.raw.cut) words.push(`what texts have beyond ${showMany(data.raw.longest, "character")}`);
  if (!words.length) return;
  get("left-out").hidden = false;
  get("left-out").textContent =
    `Left out, to keep this page small: ${words.join(", ")}. The figures are those of the whole run.`;
}

/** Counts by their names; that of a lateness is of seconds, and some are of several reasons. */
function showAccounting(data) {
  const told = Object.entries(data.raw.accounting).flatMap(([name, count]) =>
    name === "largest_lateness"
      ? [[showName(name), showSpan(count)]]
      : typeof count === "object"
        ? Object.entries(count).map(([reason, part]) => [`${showName(name)}: ${reason}`, showCount(part)])
        : [[showName(name), showCount(count)]],
  );
  get("accounting").append(...describe(told).children);
}

function showShares(data) {
  const lists = [
    ["endpoint", data.raw.byEndpoint],
    ["author", data.raw.byAuthor],
    ["commit", data.raw.byCommit],
  ];
  for (const [noun, shares] of lists) {
    if (!shares.name.length) continue;
    const most = Math.max(...shares.incidents);
    const rows = shares.name.map((number, place) => {
      const name = data.text(number);
      const shown = noun === "commit" ? commitLink(data, name) : quote(name, 80);
      const bar = make("div", { class: "share" });
      bar.style.width = `${(100 * shares.incidents[place]) / most}%`;
      return make(
        "tr",
        {},
        make("td", {}, shown),
        make("td", { class: "bar", "aria-hidden": "true" }, bar),
        make("td", { class: "number" }, showCount(shares.incidents[place])),
        make("td", { class: "number" }, showSpan(shares.seconds[place])),
      );
    });
    const heads = [noun, "", "incidents", "lasted"].map((word, place) =>
      word ? make("th", { scope: "col", class: place > 1 ? "number" : null }, word) : make("td"),
    );
    const rest = shares.more ? make("p", { class: "note" }, `and ${showCount(shares.more)} more`) : "";
    const caption = make("caption", {}, `Most incidents by ${noun}`);
    get("shares").append(
      make(
        "div",
        { class: "wide" },
        make(
          "table",
          { class: "lines" },
          caption,
          make("thead", {}, make("tr", {}, ...heads)),
          make("tbody", {}, ...rows),
        ),
        rest,
      ),
    );
  }
}

function showMost(p90) {
  return p90 === null ? "of the closed" : `90 % within ${showSpan(p90)}`;
}

/** None of a run that is too short for one. */
function showFrequency(frequency) {
  return frequency === null ? "" : `, ${showNumber(frequency)} a day`;
}
