// A first look around, on the page itself. The library comes only when somebody asks for it.

import { keyName } from "../keys.js";
import { isNarrow } from "./state.js";
import { say } from "../language.js";

const step = (element, title, description) => ({ element, popover: { title, description } });

// `ended` hears that it is over.
export async function tour({ addresses, keys }, ended) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = addresses.tour_style;
  // What it shows is placed by its size, so its style comes first.
  const styled = new Promise((resolve, reject) => {
    style.addEventListener("load", resolve);
    style.addEventListener("error", reject);
  });
  document.head.append(style);
  const [{ driver }] = await Promise.all([import(addresses.tour), styled]);
  const key = (command) => keyName(keys.of(command));
  const made = driver({
    showProgress: true,
    // Unlike `onDestroyed`, it is heard also by who leaves while one step follows the other.
    onDestroyStarted: () => {
      made.destroy();
      ended();
    },
    onPopoverRender: ({ nextButton }) => setTimeout(() => nextButton.focus()), // so Enter goes on, and does not end it
    progressText: "{{current}} / {{total}}",
    nextBtnText: gettext("Next"),
    prevBtnText: gettext("Back"),
    doneBtnText: gettext("Done"),
    animate: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    steps: [
      step("#gallery", gettext("Cells by class"), gettext("First those of which the model is unsure, then the classes in which it errs most. A dashed frame is a suggestion; a whole one with a mark was decided by a person. The least sure come first; one to three small bars mark how unsure the model is.")),
      step(".rv-section.is-current .rv-head", gettext("Enter confirms what you see"), gettext("Correct what is wrong first. Then Enter confirms the cells of this class that are on the screen, and goes on. Among the unidentified it confirms one cell at a time.")),
      isNarrow()
        ? step(".rv-bar", gettext("Tap, and move"), gettext("Tap cells to select them, then the class that they are. Count shows the differential: what was decided and what is only suggested are counted apart."))
        : step("#differential", gettext("A key moves a cell"), gettext("Each class has a key. It moves the cell with the ring, or all that you selected, and goes on. You can also drag cells here. What was decided and what is only suggested are counted apart.")),
      step(".rv-tools", gettext("Nothing is final"), say(gettext("%(undo)s undoes, back to when you began. Space shows a cell large, %(evidence)s with what the model looked at; %(similar)s shows cells like it."), { undo: key("undo"), evidence: key("evidence"), similar: key("similar") })),
      step(".rv-saved", gettext("Saved at once"), say(gettext("Each gesture is saved as you make it. When the line is down it says so here, and sends what is unsaved later. %(help)s shows all keys."), { help: key("help") })),
    ],
  });
  made.drive();
}
