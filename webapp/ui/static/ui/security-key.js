// Says on the page why a security key was not taken; allauth's script would only write it to the console.
const REASONS = {
  NotAllowedError: "Nothing came from the key: it was not touched in time, or you cancelled. Try again.",
  InvalidStateError: "This key belongs to your account already.",
  SecurityError: "Browsers use keys only at an address with a name, over https or at localhost; not at 127.0.0.1.",
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const said = document.getElementById("key-failed");
  const { name, message } = event.detail.exception;
  said.textContent = REASONS[name] ?? `The key could not be used: ${message}`;
  said.hidden = false;
});
