// One Plotly chart on one node. Streamlit calls the default function again with every new figure;
// the node stays, so Plotly.react can keep zoom, hidden traces and the modebar.

const REPORT_AFTER_MS = 200;
const NEAR = "400px";

// What the reader sees is drawn first, then what is near, each chart with a chance for the browser to show it before
// the next one; the charts further down come when they are near, or in idle moments.
const soon = (window.__podiumSoon ??= new Set());
const waiting = (window.__podiumWaiting ??= new Set());
let drawing = false;
let pumping = false;

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const chart = target.__chart;
    chart.near = isIntersecting;
    if (!chart.due) continue;
    if (isIntersecting) soon.add(chart);
    else later(chart);
  }
  drawSoon();
}, { rootMargin: NEAR, scrollMargin: NEAR });

function outOfSight({ node }) {
  const { top, bottom } = node.getBoundingClientRect();
  return Math.max(0, top - window.innerHeight, -bottom);
}

const painted = () => new Promise((done) => {
  if (document.hidden) setTimeout(done);
  else requestAnimationFrame(() => setTimeout(done));
});

async function drawSoon() {
  if (drawing) return;
  drawing = true;
  while (soon.size) {
    const next = [...soon].reduce((best, chart) => (outOfSight(chart) < outOfSight(best) ? chart : best));
    soon.delete(next);
    if (!next.due || !next.node.isConnected) continue;
    await next.draw().catch(console.error); // one that cannot be drawn does not keep the others
    await painted();
  }
  drawing = false;
}

function later(chart) {
  if (chart.costly) return; // parallel coordinates: WebGL without a graphics card takes seconds
  waiting.add(chart);
  if (pumping) return;
  pumping = true;
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, REPORT_AFTER_MS));
  const pump = () => {
    const [next] = waiting;
    waiting.delete(next);
    if (next?.due && next.node.isConnected && next.node.clientWidth) next.draw();
    if (waiting.size) idle(pump);
    else pumping = false;
  };
  idle(pump);
}

// Streamlit hands its theme to components as CSS variables.
function themed(node) {
  const css = getComputedStyle(node);
  const read = (name, otherwise) => {
    const value = css.getPropertyValue(`--st-${name}`).trim();
    return value && value !== "unset" ? value : otherwise;
  };
  const text = read("text-color", "#1f2933");
  const border = read("border-color", "#d5dbe1");
  const grid = read("dataframe-border-color", border);
  const clear = "rgba(0,0,0,0)";
  const axis = {
    automargin: true, gridcolor: grid, zerolinecolor: border, linecolor: border, showline: true,
    ticks: "outside", ticklen: 4, tickcolor: border, title: { standoff: 8, font: { size: 12 } },
  };
  return {
    layout: {
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      font: { family: read("font", "sans-serif"), size: 12, color: text },
      colorway: read("chart-categorical-colors", "#0072b2,#e69f00,#009e73,#cc79a7,#56b4e9,#d55e00").split(","),
      margin: { l: 8, r: 12, t: 12, b: 8 },
      xaxis: axis,
      yaxis: axis,
      legend: { bgcolor: clear, font: { color: text } },
      hoverlabel: {
        bgcolor: read("secondary-background-color", "#f4f6f8"), bordercolor: border,
        font: { family: read("font", "sans-serif"), color: text }, align: "left", namelength: -1,
      },
      modebar: { bgcolor: clear, color: border, activecolor: text },
      hovermode: "closest",
    },
  };
}

// A colour of a figure may be one of the theme's, `var(--st-…)`, which is not the same in light and dark.
function coloured(node) {
  const css = getComputedStyle(node);
  const read = (colour) => {
    const name = typeof colour === "string" && /^var\((--st-[a-z-]+)\)$/.exec(colour)?.[1];
    return (name && css.getPropertyValue(name).trim()) || colour;
  };
  return function (key, value) {
    const ofScale = key === "1" && typeof this[0] === "number"; // [0.5, colour]
    if (!ofScale && !/color$/.test(key)) return value;
    return Array.isArray(value) ? value.map(read) : read(value);
  };
}

// The range zoomed to in the units of the data: exponents undone, dates as microseconds since 1970 UTC.
function zoomedRange(node, name) {
  const axis = node.layout?.[name];
  if (!axis?.range || axis.autorange === true) return null;
  const type = node._fullLayout?.[name]?.type;
  const ends = axis.range.map((end) => {
    if (type === "log") return 10 ** Number(end);
    if (type === "date") {
      const iso = typeof end === "string" ? end.replace(" ", "T") : end;
      const zoned = typeof iso === "string" && !/(Z|[+-]\d\d:?\d\d)$/.test(iso);
      return 1000 * new Date(zoned ? (iso.includes("T") ? `${iso}Z` : `${iso}T00:00:00Z`) : iso).getTime();
    }
    return Number(end);
  });
  return ends.every(Number.isFinite) ? [Math.min(...ends), Math.max(...ends)] : null;
}

// The other way round: what an axis takes as its range.
function axisRange(range, type) {
  if (type === "log") return range.map((end) => Math.log10(end));
  if (type === "date") return range.map((end) => new Date(end / 1000).toISOString().slice(0, -1).replace("T", " "));
  return [...range];
}

// A thousandth of the picture is as exact as a zoom by hand.
function shortRange([low, high]) {
  const digits = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low))) + 4;
  return [low, high].map((end) => Number(end.toPrecision(Math.min(17, Math.max(4, digits)))));
}

function isShowable(range, type) {
  return range && (type !== "log" || range[0] > 0);
}

// `low:high:name` of x, `low:high:low:high:name` of x and y; no name begins with a number.
function nameOf(entry) {
  const parts = entry.split(":");
  return parts.slice(parts.length > 4 && parts[2] !== "" && Number.isFinite(Number(parts[2])) ? 4 : 2).join(":");
}

function written({ x, y }, name) {
  return [...(x ? shortRange(x) : ["", ""]), ...(y ? shortRange(y) : []), name].join(":");
}

// Links carry the zoom. Streamlit's own way to set the address would add a step to the history for each one.
function remember(node, chart) {
  if (!chart.address || !node.isConnected || window.location.pathname !== chart.path) return; // left meanwhile
  const { parameter, name } = chart.address;
  const url = new URL(window.location.href);
  const before = url.searchParams.getAll(parameter);
  const after = before.filter((entry) => nameOf(entry) !== name);
  if (chart.zoom.x || chart.zoom.y) after.push(written(chart.zoom, name));
  if (JSON.stringify([...before].sort()) === JSON.stringify([...after].sort())) return;
  url.searchParams.delete(parameter);
  after.forEach((entry) => url.searchParams.append(parameter, entry));
  window.history.replaceState(window.history.state, "", url);
}

// The same for what is brushed: `low:high:column`, once for each range.
function rememberBrush(node, chart) {
  if (!chart.brush || !node.isConnected || window.location.pathname !== chart.path) return;
  const { parameter, ranges } = chart.brush;
  const after = Object.entries(ranges ?? {}).flatMap(([column, found]) =>
    found.map((range) => [...shortRange([Math.min(...range), Math.max(...range)]), column].join(":")));
  const url = new URL(window.location.href);
  if (JSON.stringify(url.searchParams.getAll(parameter)) === JSON.stringify(after)) return;
  url.searchParams.delete(parameter);
  after.forEach((entry) => url.searchParams.append(parameter, entry));
  window.history.replaceState(window.history.state, "", url);
}

// Brushed ranges of parallel coordinates, in the units of their axes, by the names of these.
function brushed(node) {
  const found = {};
  for (const trace of node.data ?? []) {
    for (const { name, constraintrange } of trace.type === "parcoords" ? trace.dimensions ?? [] : []) {
      if (!name || !constraintrange?.length) continue;
      found[name] = Array.isArray(constraintrange[0]) ? constraintrange : [constraintrange];
    }
  }
  return Object.keys(found).length ? found : null;
}

// Labels of the axes of parallel coordinates that are no choices: where they belong also on a logarithmic axis.
function labelled(node) {
  const dimensions = node.data?.find((trace) => trace.type === "parcoords")?.dimensions ?? [];
  for (const axis of node.querySelectorAll(".parcoords .axis")) {
    const { visibleIndex, domainScale } = axis.__data__ ?? {};
    const { at, text } = dimensions[visibleIndex]?.labels ?? {};
    const drawn = [...axis.querySelectorAll(".tick")];
    if (!at?.length || !drawn.length || !domainScale) continue;
    const made = at.map((place, number) => {
      const tick = drawn[0].cloneNode(true);
      tick.setAttribute("transform", `translate(0,${domainScale(place)})`);
      tick.style.opacity = 1;
      tick.querySelector("text").textContent = text[number];
      return tick;
    });
    drawn.forEach((tick) => tick.remove());
    axis.prepend(...made);
  }
}

function watch(node, chart) {
  let timer;
  let brushing;
  labelled(node);
  node.on("plotly_afterplot", () => labelled(node));
  node.on("plotly_restyle", ([change]) => {
    if (!Object.keys(change ?? {}).some((name) => /constraintrange$/.test(name))) return;
    clearTimeout(brushing);
    brushing = setTimeout(() => {
      const found = brushed(node);
      if (chart.brush) chart.brush = { ...chart.brush, ranges: found };
      rememberBrush(node, chart);
      chart.report("brush", found);
    }, REPORT_AFTER_MS);
  });
  node.on("plotly_relayout", (change) => {
    if (!Object.keys(change).some((name) => /^[xy]axis\./.test(name))) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const before = JSON.stringify(chart.zoom.x);
      chart.zoom = { x: zoomedRange(node, "xaxis"), y: zoomedRange(node, "yaxis") };
      remember(node, chart);
      // Of y the server needs to know nothing: every value of the x range in view is here.
      if (JSON.stringify(chart.zoom.x) !== before) chart.report("x_range", chart.zoom.x);
    }, REPORT_AFTER_MS);
  });
  // A redraw in the middle of a drag would drop it.
  node.addEventListener("pointerdown", () => { chart.dragging = true; }, true);
  chart.released = () => {
    if (!chart.dragging) return;
    chart.dragging = false;
    setTimeout(chart.draw, 0);
  };
  window.addEventListener("pointerup", chart.released, true);
  window.addEventListener("pointercancel", chart.released, true);
}

export default function ({ data, parentElement, setStateValue }) {
  const frame = parentElement.querySelector(".podium-chart");
  const node = frame.querySelector(".podium-chart-plot");
  const chart = (node.__chart ??= { node, zoom: data.zoom, dragging: false, path: window.location.pathname });
  frame.style.height = `${data.height}px`;
  node.setAttribute("aria-label", data.alt);
  chart.report = setStateValue; // the latest one knows the fragment of this run
  chart.address = data.address;
  chart.brush ??= data.brush;
  chart.draw = async () => {
    if (chart.dragging) return;
    chart.due = false;
    let Plotly;
    try {
      Plotly = await loadPlotly(data.source);
    } catch {
      frame.dataset.failed = "The chart's library could not be loaded. Reload the page.";
      return;
    }
    delete frame.dataset.failed;
    const template = themed(node);
    const look = JSON.stringify([template, getComputedStyle(node).getPropertyValue("--st-primary-color"), data.height]);
    if (chart.drawn === data.figure && chart.look === look) { // most redraws of a live page change few charts
      rememberBrush(node, chart);
      remember(node, chart);
      return;
    }
    const figure = JSON.parse(data.figure, coloured(node));
    const layout = { ...figure.layout, template, autosize: true, height: data.height };
    // The same at every redraw: Plotly takes what the reader zoomed to since from the node itself.
    for (const [name, range] of [["xaxis", data.zoom.x], ["yaxis", data.zoom.y]]) {
      const type = layout[name]?.type;
      if (isShowable(range, type)) layout[name] = { ...layout[name], range: axisRange(range, type) };
    }
    for (const dimension of figure.data.flatMap((trace) => trace.dimensions ?? [])) {
      const ranges = data.brush?.ranges?.[dimension.name];
      if (ranges?.length) dimension.constraintrange = ranges.length === 1 ? ranges[0] : ranges;
    }
    // Streamlit may have handed on a newer figure while the library was loading.
    if (chart.latest !== data) return;
    await Plotly.react(node, figure.data, layout, {
      responsive: true,
      displaylogo: false,
      doubleClick: "autosize",
      // Plotly's own "Share chart" would upload the figure: no request leaves the machine.
      showSendToCloud: false,
      plotlyServerURL: "",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "sendChartToCloud"],
    });
    [chart.drawn, chart.look] = [data.figure, look];
    if (!chart.released) watch(node, chart);
    rememberBrush(node, chart);
    remember(node, chart); // the server may have written an address without it
  };
  chart.latest = data;
  chart.due = true;
  chart.costly = data.figure.includes('"type":"parcoords"');
  if (chart.near) {
    soon.add(chart);
    drawSoon();
  } else if (chart.near === undefined) observer.observe(node); // it tells at once whether the chart is near
  else later(chart);

  // Also called when one figure overtakes another while loading: only a removed node is given up.
  return () => setTimeout(() => {
    if (node.isConnected) return;
    observer.unobserve(node);
    soon.delete(chart);
    waiting.delete(chart);
    window.removeEventListener("pointerup", chart.released, true);
    window.removeEventListener("pointercancel", chart.released, true);
    // Parallel coordinates hold WebGL contexts, of which a browser has few: not until they are collected.
    for (const canvas of node.querySelectorAll("canvas.gl-canvas")) {
      canvas.getContext("webgl")?.getExtension("WEBGL_lose_context")?.loseContext();
    }
    window.Plotly?.purge(node);
  });
}
