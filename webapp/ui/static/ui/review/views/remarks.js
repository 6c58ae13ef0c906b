// Remarks on red cells, white cells and platelets: terms with the grades that a person may give, and free words.

import { useEffect } from "../../vendor/preact-hooks-11.2.0.min.js";
import { dialog, html, tick } from "../state.js";
import { say } from "../../language.js";
import { Modal, close } from "./dialogs.js";

function finish(event) {
  event.preventDefault();
  dialog.value = null;
}

export function RemarksDialog({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { remarks } = page;
  useEffect(() => {
    remarks.load();
  }, []);
  return html`<${Modal} label=${gettext("Remarks")} name="rv-remarks">
    <div class="dialog-head"><h2>${gettext("Remarks")}</h2>${close}</div>
    <p class="quiet">${gettext("What you see on the film. Nothing here is computed; choosing the same again takes it back.")}</p>
    ${remarks.problem && html`<p class="dialog-problem" role="alert">${remarks.problem}</p>`}
    ${remarks.list === null && !remarks.problem && html`<p class="quiet" role="status">${gettext("Loading …")}</p>`}
    <form onSubmit=${finish}>
      ${remarks.list !== null && html`<div class="rv-remark-subjects">${remarks.terms.map((subject) => html`<${Subject} key=${subject.code} page=${page} subject=${subject} />`)}</div>`}
      <div class="dialog-foot"><button class="button button-small button-main">${gettext("Done")}</button></div>
    </form>
  <//>`;
}

function Subject({ page, subject }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { remarks } = page;
  const words = remarks.of(subject.code, "words");
  const hidden = words && words.words === null;
  return html`<section>
    <h3>${subject.name}</h3>
    <ul>${subject.terms.map((term) => html`<${Term} key=${term.code} page=${page} subject=${subject.code} term=${term} />`)}</ul>
    ${hidden
      ? html`<p class="quiet">${say(gettext("%(person)s wrote words that you may not see."), { person: words.by })}</p>`
      : html`<label class="field">${gettext("In words")}
          <textarea rows="2" maxlength="500" disabled=${!page.mayDecide} defaultValue=${words?.words ?? ""} onChange=${(event) => remarks.write(subject.code, event.target.value)}></textarea></label>`}
    ${words && html`<p class="quiet small">${words.by}</p>`}
  </section>`;
}

function Term({ page, subject, term }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { remarks } = page;
  const stands = remarks.of(subject, term.code);
  const grades = term.grades.length ? term.grades : [""];
  return html`<li class=${stands ? "is-remarked" : ""}>
    <span>${term.name}${stands && html` <span class="quiet small">${stands.by}</span>`}</span>
    <span role="group" aria-label=${term.name}>
      ${grades.map((grade) => html`<button type="button" class="rv-grade" disabled=${!page.mayDecide} aria-pressed=${stands && stands.grade === grade ? "true" : "false"}
        onClick=${() => remarks.choose(subject, term.code, grade)}>${grade || gettext("seen")}</button>`)}
    </span>
  </li>`;
}
