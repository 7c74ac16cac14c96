// The run at a glance: figures, what became of every line, and who had most incidents.

function showFigures(data) {
  const figure = (name) => data.raw.whole[name][0];
  const states = [
    ["open", figure("repair.open")],
    ["silent", figure("repair.silent")],
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
    ["median repair", showSpan(figure("repair.median")), `90 % within ${showSpan(figure("repair.p90"))}`],
    ["longest repair", showSpan(figure("repair.longest")), "of the closed"],
    ["median detection", showSpan(figure("detection")), "from the change to the incident"],
    [
      "error budget left",
      showPercent(left),
      `${showCount(figure("budget.failures"))} failures, ${showCount(Math.floor(figure("budget.allowed")))} allowed`,
    ],
    [
      "change failure rate",
      showShare(figure("delivery.change_failure_rate")),
      `${showCount(figure("delivery.failed"))} of ${showMany(figure("delivery.deployments"), "deployment")}, ${showNumber(figure("delivery.frequency"))} a day`,
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
  const counts = `${showMany(data.services.length, "service")}, ${showMany(data.endpoints.length, "endpoint")}`;
  const requests = `${showMany(data.raw.whole["budget.requests"][0], "request")}`;
  if (data.began === data.ended && !data.raw.accounting.accesses) {
    get("extent").append(`No request was counted. ${counts}.`);
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

function showAccounting(data) {
  const entries = Object.entries(data.raw.accounting);
  get("accounting").append(
    ...describe(entries.map(([name, count]) => [showName(name), showCount(count)])).children,
  );
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
    const rows = shares.name.map((name, place) => {
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
