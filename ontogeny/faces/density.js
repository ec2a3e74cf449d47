// Densities: hover, touch and arrow keys tell step, value and count; a dragged box zooms in, a double click back out.
"use strict";
const inflated = async text => {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Float32Array(await new Response(stream).arrayBuffer());
};
const SCALES = {
  "linear": () => ({ to: value => value, from: place => place }),
  "log": () => ({ to: value => Math.log10(value), from: place => 10 ** place }),
  "symmetric log": unit => ({ to: value => Math.asinh(value / unit), from: place => Math.sinh(place) * unit }),
};
const spoken = value => Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(5));
const round = (low, high, about) => {  // round numbers from low to high
  const rough = (high - low) / about, unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(one => one * unit).reduce((a, b) => Math.abs(Math.log(a / rough)) < Math.abs(Math.log(b / rough)) ? a : b);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) found.push(+(n * step).toPrecision(12));
  return found;
};
const powers = (scale, low, high, about, least) => {  // zero and powers of ten, none closer than there is room for
  const room = (scale.to(high) - scale.to(low)) / (2 * about), found = low <= 0 && high >= 0 ? [0] : [];
  for (let e = Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high)))); 10 ** e >= least * .999; e--)
    for (const value of [10 ** e, -(10 ** e)])
      if (value >= low && value <= high && found.every(one => Math.abs(scale.to(one) - scale.to(value)) >= room)) found.push(value);
  return found.length > 2 ? found : round(low, high, about);
};
for (const figure of document.querySelectorAll("figure[data-density]")) {
  const about = JSON.parse(document.getElementById(figure.dataset.density).textContent);
  const svg = figure.querySelector("svg.density"), plot = svg.querySelector(".plot"), cursor = svg.querySelector(".cursor");
  const { columns, rows, box, steps, values, unit, curves } = about, scale = SCALES[about.scale](unit);
  const [first, last] = values.map(scale.to), make = kind => document.createElementNS("http://www.w3.org/2000/svg", kind);
  let counts = null, view = [0, 0, columns, rows], at = null, begun = null;
  inflated(document.getElementById(figure.dataset.density + "-counts").textContent).then(found => { counts = found; });
  const tip = Object.assign(document.createElement("div"), { className: "tip" });
  tip.setAttribute("role", "status");
  figure.append(tip);
  const stepAt = x => steps[0] + x / columns * (steps[1] - steps[0]);
  const valueAt = y => scale.from(last - y / rows * (last - first));
  const label = (group, words, x, y, anchor) => {
    const text = make("text");
    text.textContent = words; text.setAttribute("x", x); text.setAttribute("y", y); text.setAttribute("text-anchor", anchor);
    group.append(text);
  };
  const mark = () => {  // the axes of what is in view
    const [x, y, wide, tall] = view, low = valueAt(y + tall), high = valueAt(y);
    const across = svg.querySelector(".steps"), down = svg.querySelector(".values"), below = +cursor.getAttribute("y2") + 18;
    const top = scale.to(high), bottom = scale.to(low);
    across.replaceChildren(); down.replaceChildren();
    const whole = stepAt(x + wide) - stepAt(x) >= 3;
    for (const step of round(stepAt(x), stepAt(x + wide), box.width / 110))
      if (!whole || Number.isInteger(step)) label(across, step.toLocaleString("en"), box.x + ((step - stepAt(x)) / (stepAt(x + wide) - stepAt(x))) * box.width, below, "middle");
    const many = Math.max(3, box.height / 50);
    const marks = about.scale === "linear" ? round(low, high, many) : powers(scale, low, high, many, about.scale === "log" ? low : unit);
    for (const value of marks) label(down, spoken(value).replace("-", "−"), box.x - 8, box.y + (top - scale.to(value)) / (top - bottom) * box.height + 4, "end");
  };
  const zoom = (x, y, wide, tall) => {
    wide = Math.min(columns, Math.max(6, wide)); tall = Math.min(rows, Math.max(4, tall));
    view = [Math.max(0, Math.min(columns - wide, x)), Math.max(0, Math.min(rows - tall, y)), wide, tall];
    plot.setAttribute("viewBox", view.join(" "));
    plot.classList.toggle("near", view[2] <= columns / 2);  // from afar smooth, so that no thin line is broken
    for (const curve of svg.querySelectorAll(".curve")) curve.setAttribute("viewBox", `${view[0]} 0 ${view[2]} 100`);
    mark();
  };
  const show = (x, y) => {
    at = [Math.max(0, Math.min(columns - 1, x)), Math.max(0, Math.min(rows - 1, y))];
    const column = Math.floor(at[0]), row = Math.floor(at[1]), step = stepAt(column + .5);
    const share = (at[0] - view[0]) / view[2], place = box.x + share * box.width;
    cursor.setAttribute("x1", place); cursor.setAttribute("x2", place); cursor.style.opacity = .5;
    const say = (name, value) => {
      const line = document.createElement("div"), bold = document.createElement("b");
      bold.textContent = value; line.append(`${name} `, bold); tip.append(line);
    };
    tip.replaceChildren();
    say("step", spoken(steps[1] - steps[0] < columns ? +step.toFixed(2) : Math.round(step)));
    say("value", `${spoken(valueAt(row + 1))} to ${spoken(valueAt(row))}`.replaceAll("-", "−"));
    if (counts) { const count = counts[(rows - 1 - row) * columns + column]; say("parameters here", count >= 10 ? Math.round(count).toLocaleString("en") : +count.toPrecision(2)); }
    if (about.nonfinite[column]) say("not finite", Math.round(about.nonfinite[column]).toLocaleString("en"));
    for (const curve of curves) {
      let near = 0;
      for (let i = 0; i < curve.steps.length; i++) if (curve.steps[i] <= step) near = i;
      if (curve.steps.length) say(`${curve.name}`, curve.values[near] === null ? "not finite" : curve.percent ? (curve.values[near] * 100).toFixed(1) + "%" : spoken(curve.values[near]));
    }
    const left = place / svg.viewBox.baseVal.width;
    tip.style.left = left > .6 ? "auto" : `calc(${left * 100}% + 12px)`;
    tip.style.right = left > .6 ? `calc(${(1 - left) * 100}% + 12px)` : "auto";
    tip.style.top = "2.6rem"; tip.style.opacity = 1;
  };
  const hide = () => { cursor.style.opacity = 0; tip.style.opacity = 0; };
  const under = event => {
    const frame = svg.getBoundingClientRect(), factor = svg.viewBox.baseVal.width / frame.width;
    const x = ((event.clientX - frame.left) * factor - box.x) / box.width, y = ((event.clientY - frame.top) * factor - box.y) / box.height;
    return [view[0] + Math.max(0, Math.min(1, x)) * view[2], view[1] + Math.max(0, Math.min(1, y)) * view[3]];
  };
  const chosen = make("rect");
  chosen.setAttribute("class", "chosen");
  const span = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
  svg.addEventListener("pointerdown", event => { if (event.button === 0 && event.pointerType !== "touch") { begun = under(event); svg.setPointerCapture(event.pointerId); } });
  svg.addEventListener("pointermove", event => {
    const here = under(event);
    show(...here);
    if (!begun) return;
    const [x, y, wide, tall] = span(begun, here);
    for (const [name, value] of Object.entries({ x, y, width: wide, height: tall })) chosen.setAttribute(name, value);
    if (!chosen.isConnected) plot.append(chosen);
  });
  svg.addEventListener("pointerup", event => {
    if (begun) { const box_of = span(begun, under(event)); if (box_of[2] > view[2] / 100 && box_of[3] > view[3] / 100) zoom(...box_of); }
    begun = null; chosen.remove();
  });
  svg.addEventListener("dblclick", () => zoom(0, 0, columns, rows));
  svg.addEventListener("pointerleave", () => { if (!begun) hide(); });
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", event => {
    const here = at || [view[0] + view[2] / 2, view[1] + view[3] / 2];
    const moves = { ArrowLeft: [-view[2] / 100, 0], ArrowRight: [view[2] / 100, 0], ArrowUp: [0, -view[3] / 50], ArrowDown: [0, view[3] / 50] };
    const closer = factor => zoom(here[0] - view[2] * factor / 2, here[1] - view[3] * factor / 2, view[2] * factor, view[3] * factor);
    if (event.key in moves) show(here[0] + moves[event.key][0], here[1] + moves[event.key][1]);
    else if (event.key === "+") closer(.5);
    else if (event.key === "-") closer(2);
    else if (event.key === "0") zoom(0, 0, columns, rows);
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  });
}
