/* The chart, drawn from the table below it, and the state of each part, from /health. */

const LOOKS = {
  views: { type: "bar", axis: "views", colour: "--gallery-bars", faint: true },
  likes: { type: "line", axis: "people", colour: "--gallery-madder" },
  signups: { type: "line", axis: "people", colour: "--gallery-turmeric" },
};
const STATES = { healthy: "healthy", degraded: "degraded", unhealthy: "down" };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function seriesOf(table) {
  const rows = [...table.tBodies[0].rows];
  return [...table.tHead.rows[0].cells]
    .filter((head) => head.dataset.series)
    .map((head) => ({
      ...LOOKS[head.dataset.series],
      label: head.textContent,
      data: rows.map((row) => Number(row.cells[head.cellIndex].textContent)),
    }));
}

function draw(canvas, table) {
  const text = colour("--gallery-faint");
  const line = colour("--gallery-line");
  const axis = (position, title) => ({
    beginAtZero: true,
    border: { display: false },
    grid: { color: line, drawOnChartArea: position === "left" },
    position,
    ticks: { color: text, maxTicksLimit: 5, precision: 0 },
    title: { color: text, display: true, text: title },
  });
  const series = seriesOf(table);
  return new Chart(canvas, {
    data: {
      labels: [...table.tBodies[0].rows].map((row) => row.cells[0].textContent),
      datasets: series.map((one) => ({
        type: one.type,
        label: one.label,
        data: one.data,
        yAxisID: one.axis,
        order: one.faint ? 1 : 0,
        backgroundColor: colour(one.colour),
        borderColor: colour(one.colour),
        borderRadius: 3,
        borderWidth: one.type === "line" ? 2.5 : 0,
        pointRadius: 0,
        pointHoverRadius: 4,
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { intersect: false, mode: "index" },
      plugins: { legend: { align: "end", labels: { boxHeight: 8, boxWidth: 8, color: text, usePointStyle: true } } },
      scales: {
        x: { border: { color: line }, grid: { display: false }, ticks: { autoSkipPadding: 16, color: text, maxRotation: 0 } },
        views: axis("left", "views"),
        people: axis("right", series.map((one) => one.label.toLowerCase()).slice(1).join(", ")),
      },
    },
  });
}

async function showHealth(place) {
  let parts = {};
  try {
    const answer = await fetch(place.dataset.health, { headers: { Accept: "application/json" } });
    parts = (await answer.json()).checks;
  } catch {
    // Without a response each part is shown as unknown.
  }
  for (const state of place.querySelectorAll("[data-part]")) {
    const part = parts[state.dataset.part];
    state.dataset.status = part?.status ?? "unknown";
    const time = part?.latency_ms == null ? "" : `, ${Math.round(part.latency_ms)} ms`;
    state.textContent = part ? `${STATES[part.status]}${time}${part.error ? ` (${part.error})` : ""}` : "no response";
  }
  const name = place.querySelector("[data-name=storage]");
  if (parts.storage?.backend) name.textContent = parts.storage.backend === "R2Storage" ? "R2" : "folder";
}

const canvas = document.getElementById("history-chart");
if (canvas) {
  const table = document.getElementById("history");
  let chart = draw(canvas, table);
  // The theme changes with a class on <html>.
  new MutationObserver(() => {
    chart.destroy();
    chart = draw(canvas, table);
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  showHealth(document.getElementById("health"));
}
