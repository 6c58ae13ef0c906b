// The keys of a page, to be looked up and changed.

import { h } from "./vendor/preact-11.2.0.min.js";
import { useState } from "./vendor/preact-hooks-11.2.0.min.js";
import htm from "./vendor/htm-3.1.1.min.js";
import { keyName } from "./keys.js";
import { say } from "./language.js";

const html = htm.bind(h);

// `keys` is a KeyMap. `lists`: {heading, fixed: [{keys, text}] or commands: [{name, text}]} each. `changed` is called when
// the person changed them. Children are buttons.
export function KeyList({ keys, lists, changed, children }) {
  const [editing, edit] = useState(false);
  const [problem, complain] = useState("");
  const [, again] = useState(0);
  const draw = () => {
    changed();
    again((n) => n + 1);
  };
  const texts = new Map(lists.flatMap(({ commands = [] }) => commands.map(({ name, text }) => [name, text])));
  const given = (command) => (event) => {
    const key = event.target.value.slice(-1);
    const taken = keys.rebind(command, key);
    complain(taken ? say(gettext("“%(key)s” already means: %(other)s. Choose another key."), { key: keyName(key), other: texts.get(taken) }) : "");
    event.target.value = keyName(keys.of(command)).trim();
    draw();
  };
  const line = ({ name, text }) => html`<li key=${name}>
    ${editing ? html`<input class="key-input" maxlength="2" aria-label=${say(gettext("Key for: %(command)s"), { command: text })} value=${keyName(keys.of(name)).trim()} onInput=${given(name)} onFocus=${(event) => event.target.select()} />` : html`<kbd>${keyName(keys.of(name)) || "–"}</kbd>`}
    <span>${text}</span>
  </li>`;
  const always = ({ keys: fixed, text }) => html`<li class="keys-fixed">${fixed.map((key) => html`<kbd>${key}</kbd>`)}<span>${text}</span></li>`;
  return html`
    <div class="keys-lists">${lists.map(({ heading, fixed = [], commands = [] }) => html`<section><h3>${heading}</h3><ul>${fixed.map(always)}${commands.map(line)}</ul></section>`)}</div>
    <p class="dialog-problem" role="alert">${problem}</p>
    <div class="dialog-foot">
      <label class="check"><input type="checkbox" checked=${keys.changes.off} onChange=${(event) => { keys.switchOff(event.target.checked); draw(); }} /> ${gettext("Switch single keys off")}</label>
      <button type="button" class="button button-small" aria-pressed=${editing ? "true" : "false"} onClick=${() => edit(!editing)}>${editing ? gettext("Done") : gettext("Change keys")}</button>
      <button type="button" class="button button-small" onClick=${() => { keys.reset(); complain(""); draw(); }}>${gettext("As they were")}</button>
      ${children}
    </div>`;
}
