// Hover, touch and arrow keys on the charts: the values of every line at the nearest recorded step.
"use strict";
for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const chart = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const svg = figure.querySelector("svg"), cursor = svg.querySelector(".cursor");
  const tip = Object.assign(document.createElement("div"), { className: "tip" });
  tip.setAttribute("role", "status");
  figure.append(tip);
  const [left, right] = chart.across, [first, last] = chart.steps;
  const known = [...new Set(chart.lines.flatMap(line => line.steps))].sort((a, b) => a - b);
  const place = step => left + (step - first) / Math.max(1, last - first) * (right - left);
  const below = (steps, step) => {  // the last place whose step is not above
    let low = 0, high = steps.length - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (steps[middle] <= step) low = middle; else high = middle - 1; }
    return low;
  };
  let at = -1;
  const show = position => {
    at = Math.max(0, Math.min(known.length - 1, position));
    const step = known[at], x = place(step);
    cursor.setAttribute("x1", x); cursor.setAttribute("x2", x); cursor.style.opacity = .5;
    tip.replaceChildren(Object.assign(document.createElement("div"), { textContent: `step ${step}` }));
    for (const line of chart.lines) {
      if (!line.steps.length || step < line.steps[0] || step > line.steps[line.steps.length - 1]) continue;
      const row = document.createElement("div"), value = document.createElement("b");
      const number = line.values[below(line.steps, step)];
      value.textContent = number === null ? "not finite" : chart.percent ? (number * 100).toFixed(1) + "%" : Number(number.toPrecision(4));
      row.style.color = `var(--c${line.colour})`;
      row.append(`${line.name} `, value);
      tip.append(row);
    }
    const share = x / chart.width;
    tip.style.left = share > .6 ? "auto" : `calc(${share * 100}% + 12px)`;
    tip.style.right = share > .6 ? `calc(${(1 - share) * 100}% + 12px)` : "auto";
    tip.style.top = "2.2rem"; tip.style.opacity = 1;
  };
  const hide = () => { cursor.style.opacity = 0; tip.style.opacity = 0; };
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * chart.width;
    const step = first + (x - left) / (right - left) * (last - first), low = below(known, step);
    show(low + 1 < known.length && known[low + 1] - step < step - known[low] ? low + 1 : low);
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", event => {
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 20, PageDown: at + 20, Home: 0, End: known.length - 1 };
    if (event.key === "Escape") hide();
    else if (event.key in moves) { show(moves[event.key]); event.preventDefault(); }
  });
}
