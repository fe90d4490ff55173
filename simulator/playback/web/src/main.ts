import "./notices.js";

import uPlot from "uplot";

const place = document.querySelector<HTMLElement>("main");
if (place !== null) {
  const options: uPlot.Options = { width: 600, height: 300, series: [{}, { label: "antibody" }] };
  new uPlot(options, [[0, 1], [1, 0]], place);
}
