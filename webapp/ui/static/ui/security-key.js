// Says on the page why a security key was not taken; allauth's script would only write it to the console.

import { say } from "./language.js";

const REASONS = {
  NotAllowedError: gettext("Nothing came from the key: it was not touched in time, or you cancelled. Try again."),
  InvalidStateError: gettext("This key belongs to your account already."),
  SecurityError: gettext(
    "Browsers use keys only at an address with a name, over https or at localhost; not at 127.0.0.1.",
  ),
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const said = document.getElementById("key-failed");
  const { name, message } = event.detail.exception;
  said.textContent = REASONS[name] ?? say(gettext("The key could not be used: %(reason)s"), { reason: message });
  said.hidden = false;
});
