// The lab's refused and failed files: another is given in place of each, in its own row.

import { pictures } from "./upload/pictures.js";
import { Queue } from "./upload/queue.js";
import { inPlaceOf, listen, oneAlone, outcome } from "./upload/replacing.js";
import { Server } from "./upload/server.js";

const table = document.getElementById("outstanding");
const whyNot = pictures(table.dataset.suffixes, table.dataset.openings);
const underWay = new Set();

listen((row, files) => {
  const said = row.querySelector("[data-said]");
  if (files.length !== 1) {
    said.textContent = oneAlone();
    return;
  }
  const [file] = files;
  const queue = new Queue({
    server: new Server({ ...row.dataset, token: table.dataset.token }, document.body.dataset),
    whyNot,
    show: () => {
      if (queue.active) underWay.add(queue);
      else underWay.delete(queue);
      const { text, settled } = outcome(queue, file.name);
      said.textContent = text;
      row.classList.toggle("is-settled", settled);
      for (const control of row.querySelectorAll(".mend input, .mend button")) control.disabled = settled || queue.active;
    },
    caseChanged: () => {},
  });
  queue.add([inPlaceOf(row, file)]);
});

window.addEventListener("beforeunload", (event) => {
  if (underWay.size) event.preventDefault();
});
