// The page: its parts, and what events of the document mean to them.

import { Bench } from "./bench.js";
import { boxOf, goOn, reveal } from "./grid.js";
import { Kept } from "../kept.js";
import { withoutWords } from "./kept.js";
import { Earlier, classOf } from "./earlier.js";
import { Keys } from "./keys.js";
import { NEW_CELLS_EVERY, PAGE, POLL_EVERY, SIMILAR, SIZES } from "./limits.js";
import { Pictures, reference } from "./pictures.js";
import { Remarks } from "./remarks.js";
import { placeOf } from "./selection.js";
import { Server } from "./server.js";
import { dialog, filter, filtering, more, redraw, said, seen, size, trouble } from "./state.js";
import { Store, UNIDENTIFIED } from "./store.js";
import { tour } from "./tour.js";
import { Undo } from "./undo.js";
import { onScreen, planOf } from "./views/gallery.js";
import { counted } from "./words.js";

const BETWEEN_PAGES = 50; // ms, so that loading a large case leaves room for what the person does

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function loadPicture(address) {
  const picture = new Image();
  picture.src = address;
  return picture.decode();
}

export class Page {
  scroller = null;
  drawnLarge = null; // the cell whose picture is to be seen large
  nextSuggestions = 0; // when new ones may be asked for again

  // `seed` is what the server gave with the page; `client` tells this tab from others.
  constructor(seed, client) {
    Object.assign(this, { seed, addresses: seed.addresses, classes: seed.classes, order: seed.order, me: seed.me });
    this.names = new Map([[UNIDENTIFIED, seed.unidentified], ["similar", gettext("Similar cells")]]);
    this.shorts = new Map();
    for (const { code, name, short } of seed.all_classes) {
      this.names.set(code, name);
      this.shorts.set(code, short);
    }
    this.likes = new Kept(() => localStorage, "review");
    // Of each person's own: what somebody left unsaved is not done in the name of the next who signs in.
    this.tab = new Kept(() => sessionStorage, `review ${seed.reading} ${seed.me}`);
    this.past = new Kept(() => sessionStorage, `undo ${seed.reading} ${seed.me}`);
    const { size: liked = "medium", keys } = this.likes.read();
    if (SIZES[liked]) size.value = liked;
    this.keys = new Keys(this.classes, keys);
    this.server = new Server(seed.addresses, { lab: seed.lab, client });
    this.remarks = new Remarks({ terms: seed.remark_terms, server: this.server, show: redraw });
    this.pictures = new Pictures({ load: loadPicture, show: () => this.redrawSoon() });
    this.earlier = new Earlier(this.server);
    this.bench = new Bench({
      store: new Store({ order: seed.order, me: seed.me }),
      send: (gesture) => this.server.decide(gesture),
      waiting: this.tab.read().waiting,
      undo: new Undo(this.past.read()),
      newId: () => crypto.randomUUID(),
      nameOf: (code) => this.nameOf(code),
      onScreen: (code) => onScreen(this, code),
      say: (text) => (said.value = text),
      goTo: (id, how) => this.goTo(id, how),
      show: redraw,
      keep: ({ queue, undo }) => {
        this.tab.write({ waiting: queue.waiting.map(withoutWords) });
        this.past.later(() => undo.kept);
      },
    });
    this.take(seed.cells);
    this.bench.differential = seed.differential;
    this.bench.start();
    if (this.bench.queue.unsaved) this.bench.queue.run();
  }

  get mayDecide() {
    return this.seed.may_decide;
  }

  get isOver() {
    return !this.seed.may_decide;
  }

  get isFiltered() {
    return Object.keys(filter.value).length > 0;
  }

  get people() {
    return this.bench.store.people;
  }

  get shown() {
    return this.bench.store.sections.reduce((sum, { count }) => sum + count, 0);
  }

  get total() {
    return this.isFiltered ? this.whole : this.shown;
  }

  // Of all the case's cells, also where only some are shown.
  get undecided() {
    return this.isFiltered ? (this.bench.differential?.undecided ?? 0) : this.bench.store.undecided;
  }

  nameOf(code) {
    return this.names.get(code) ?? code;
  }

  shortOf(code) {
    return this.shorts.get(code) ?? code;
  }

  // What the server said of a cell whose words are there and may be read: each time another object; else null.
  wordsOf(cell) {
    if (!this.seed.may_read_words || cell.decided !== "other" || this.bench.store.isPending(cell.id)) return null;
    return cell.said;
  }

  // Whether cells bear a caption, because their section does not say what they are.
  isCaptioned(code) {
    return code === UNIDENTIFIED || code === "similar";
  }

  isTarget(code) {
    return this.mayDecide && this.classes.some((one) => one.code === code);
  }

  take(cells) {
    const { store } = this.bench;
    store.replace(cells);
    this.suggestions = cells.suggestions;
    this.reference ??= reference(store.sections.flatMap((section) => section.cells)) || 1;
    if (!this.isFiltered) this.whole = this.shown;
  }

  async reload() {
    const cells = await this.server.cells({ ...filter.value });
    this.bench.similar = null;
    this.reference = undefined;
    this.take(cells);
    if (!this.bench.focused) this.bench.start();
    more.value = false;
    redraw();
    this.loadRest();
  }

  async filterBy(query) {
    filter.value = query;
    this.bench.selection.clear();
    try {
      await this.reload();
      this.bench.start();
      if (this.scroller) this.scroller.scrollTop = 0;
      this.focus();
    } catch (error) {
      this.bench.failure = error.message;
    }
    redraw();
  }

  // The rest of the cells, class by class, what is on the screen first.
  async loadRest() {
    if (this.loading) return;
    this.loading = true;
    for (;;) {
      const { sections } = this.bench.store;
      const missing = sections.filter(({ next }) => next);
      if (!missing.length) break;
      const wanted = missing.find((section) => this.isShort(section)) ?? missing[0];
      const { begun } = this.bench.store;
      try {
        if (this.pictures.waiting && !this.isShort(wanted)) {
          await pause(4 * BETWEEN_PAGES); // pictures that are to be seen come first
          continue;
        }
        const cells = await this.server.cells({ ...filter.value, class: wanted.code, after: wanted.next, limit: PAGE });
        if (this.bench.store.begun === begun) this.bench.store.add(cells);
        trouble.value = "";
      } catch (error) {
        trouble.value = error.message;
        await pause(POLL_EVERY);
      }
      redraw();
      await pause(BETWEEN_PAGES);
    }
    this.loading = false;
  }

  // Whether cells of a section should be on the screen that are not there.
  isShort(section) {
    const b = this.bench.store.sections.indexOf(section);
    if (this.bench.similar || !this.scroller || b < 0) return false;
    const plan = planOf(this);
    if (!plan.blocks[b]) return false;
    const first = boxOf(plan, b, section.cells.length).top;
    const { top, height } = seen.value;
    return first < top + height && plan.blocks[b].top + plan.blocks[b].height > top;
  }

  // Once for all pictures that come before the next frame.
  redrawSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      redraw();
    });
  }

  // --- what others do ---------------------------------------------------------------------------------------

  poll() {
    setInterval(() => this.hear(), POLL_EVERY);
    if (this.seed.in_progress) setInterval(() => this.lookForMore(), NEW_CELLS_EVERY);
    addEventListener("online", () => this.bench.queue.wake());
    document.addEventListener("visibilitychange", () => this.hear());
    addEventListener("pagehide", () => this.past.flush());
  }

  async hear() {
    if (document.visibilityState !== "visible" || this.hearing) return;
    this.hearing = true;
    try {
      const answer = await this.server.changes(this.bench.store.revision, this.suggestions);
      if (answer) this.bench.heard(answer);
      if (answer && answer.suggestions !== this.suggestions) this.takeSuggestions();
      if (trouble.value) this.bench.queue.wake();
      trouble.value = "";
    } catch (error) {
      trouble.value = error instanceof TypeError ? gettext("The connection was lost.") : error.message;
    }
    this.hearing = false;
  }

  // The model was asked again: what it suggests by now is taken in, while all that was decided, chosen or is looked at
  // stays. During a re-run of a large case that is much to ask for, so it is not asked for all the time.
  async takeSuggestions() {
    const began = performance.now();
    if (this.bench.similar || began < this.nextSuggestions) return;
    this.nextSuggestions = Infinity;
    try {
      const { sections } = this.bench.store;
      if (this.isFiltered || sections.some(({ next }) => next)) await this.reload();
      else await this.#takeSuggestionsOfAll();
      said.value = gettext("The model was asked again. What it suggests is new, what was decided is as it was.");
    } catch {
      // The next answer says again that there are others.
    }
    const end = performance.now();
    this.nextSuggestions = end + Math.max(NEW_CELLS_EVERY, 5 * (end - began));
    redraw();
  }

  async #takeSuggestionsOfAll() {
    const { store } = this.bench;
    const { begun } = store;
    const first = await this.server.cells({ limit: PAGE });
    const answers = [first];
    for (const section of first.sections) {
      let { next } = section;
      while (next) {
        const cells = await this.server.cells({ class: section.class, after: next, limit: PAGE });
        answers.push(cells);
        next = cells.sections[0]?.next;
      }
    }
    if (store.begun !== begun) return; // loaded anew meanwhile
    if (store.suggest({ sections: answers.flatMap(({ sections }) => sections) })) more.value = true;
    this.suggestions = first.suggestions;
  }

  async lookForMore() {
    if (document.visibilityState !== "visible" || this.isFiltered) return;
    const answer = await this.server.cells({ limit: 1 }).catch(() => null);
    if (!answer) return;
    more.value = answer.sections.reduce((sum, { count }) => sum + count, 0) > this.shown;
    redraw();
  }

  // --- what the person does ---------------------------------------------------------------------------------

  focus() {
    document.getElementById("gallery")?.focus({ preventScroll: true });
  }

  goTo(id, { rest }) {
    const { sections } = this.bench;
    const place = placeOf(sections, id);
    if (!this.scroller || !place) return;
    const [b, i] = place;
    const plan = planOf(this);
    const { scrollTop, clientHeight } = this.scroller;
    const last = sections[b].cells.findLastIndex((cell) => !cell.decided);
    const top = rest ? goOn(plan, b, i, Math.max(i, last), scrollTop, clientHeight) : reveal(plan, b, i, scrollTop, clientHeight);
    if (top === scrollTop) return;
    // What is drawn grows with the sections; it must have its height before it is scrolled.
    this.scroller.querySelector(".rv-sizer").style.height = `${plan.height}px`;
    this.scroller.scrollTop = top;
    seen.value = { ...seen.value, top: this.scroller.scrollTop };
  }

  // The undecided cell that follows one, to be fetched before it is asked for.
  after(id) {
    const place = placeOf(this.bench.sections, id);
    if (!place) return null;
    return this.bench.sections[place[0]].cells[place[1] + 1]?.id ?? null;
  }

  pressed(event) {
    const open = dialog.value?.name ?? "";
    const meant = this.keys.meaning(event, open === "large" ? "large" : open && "other");
    if (!meant) return;
    const isStep = meant.command === "move";
    event.preventDefault();
    // A key that is held down must not run through cells that nobody looked at.
    if (event.repeat && !isStep) return;
    this.do(meant.command, meant);
  }

  do(command, { code, move, extend, keep } = {}) {
    const { bench } = this;
    switch (command) {
      case "move":
        this.follow();
        return bench.move(move, { ...this.grid(), extend, keep });
      case "left":
      case "right":
      case "previous-section":
      case "next-section":
        return bench.move(command, this.grid());
      case "decide":
        return this.decide(code);
      case "confirm":
        return this.confirm();
      case "undo":
        return this.mayDecide && bench.takeBack();
      case "redo":
        return this.mayDecide && bench.redo();
      case "take-class":
        return bench.takeClass();
      case "toggle":
        if (bench.focused) bench.selection.toggle(bench.selection.focus);
        return redraw();
      case "clear":
        filtering.value = false;
        return bench.clear();
      case "leave-similar":
        bench.leaveSimilar();
        return redraw();
      case "words":
        dialog.value = { name: "words", ids: [bench.selection.focus], back: dialog.value, stay: true };
        return null;
      case "large":
        return this.large({});
      case "evidence":
        return this.large({ evidence: !dialog.value?.evidence, stay: true });
      case "evidence-of":
        return this.large({ evidence: true, evidenceOf: code, stay: true });
      case "similar":
        return this.similar();
      case "earlier":
        return this.showEarlier();
      case "larger":
      case "smaller":
        return this.resize(stepped(command === "larger" ? 1 : -1));
      case "filter":
        filtering.value = !filtering.value;
        return null;
      case "unfilter":
        filtering.value = false;
        return this.filterBy({});
      case "remarks":
        dialog.value = { name: "remarks" };
        return null;
      case "finish":
        return this.finish();
      case "help":
        dialog.value = { name: "keys" };
        return null;
      case "conflicts":
        dialog.value = { name: "conflicts" };
        return null;
      default:
        throw new RangeError(`There is no command ${command}.`);
    }
  }

  grid() {
    const { columns, size: side } = planOf(this);
    return { columns, rows: Math.max(1, Math.floor(seen.value.height / side) - 1) };
  }

  // Somebody who scrolled away from the focused cell means what they see.
  follow() {
    const { bench } = this;
    if (!this.scroller || dialog.value) return;
    const place = placeOf(bench.sections, bench.selection.focus);
    const plan = planOf(this);
    const { scrollTop, clientHeight } = this.scroller;
    if (place) {
      const box = boxOf(plan, ...place);
      if (box.top + box.height > scrollTop && box.top < scrollTop + clientHeight) return;
    }
    for (const open of [true, false]) {
      for (const section of bench.sections) {
        const ids = onScreen(this, section.code);
        const found = ids.find((id) => !open || !bench.store.get(id).decided);
        if (found !== undefined) {
          bench.selection.focus = found;
          return;
        }
      }
    }
  }

  decide(code) {
    if (!this.mayDecide) return;
    const ids = this.bench.selection.targets;
    if (code === "other" && ids.length) dialog.value = { name: "words", ids, back: dialog.value };
    else this.bench.decide(code);
  }

  confirm() {
    if (!this.mayDecide) return;
    if (dialog.value?.name === "large") {
      const cell = this.bench.focused;
      const isOpen = cell && !cell.decided && cell.suggested;
      this.bench.confirm(isOpen && this.drawnLarge === cell.id ? [cell] : []);
    } else {
      if (!this.bench.selection.chosen.size) this.follow();
      this.bench.confirm();
    }
  }

  large({ evidence, evidenceOf, stay = false }) {
    if (!this.bench.focused) return;
    const isOpen = dialog.value?.name === "large";
    if (isOpen && !stay) dialog.value = null;
    else dialog.value = { name: "large", evidence: evidence ?? this.evidence, evidenceOf };
    if (evidence !== undefined) this.evidence = evidence;
  }

  async similar() {
    const { bench } = this;
    const of = bench.selection.focus;
    if (of === null) return;
    try {
      bench.showSimilar(of, await this.server.similar(of, SIMILAR));
      if (this.scroller) this.scroller.scrollTop = 0;
    } catch (error) {
      bench.failure = error.message;
      redraw();
    }
  }

  // The second reader has finished: what both readings come to is shown once the other is, too.
  async finish() {
    try {
      await this.server.finish();
      location.assign(this.addresses.checks);
    } catch (error) {
      this.bench.failure = error.message;
      redraw();
    }
  }

  showEarlier() {
    const code = classOf(this.bench.focused);
    if (!this.addresses.history) said.value = gettext("Earlier results are for who may see who the patient is, once that is entered.");
    else if (code) dialog.value = { name: "earlier", code };
  }

  resize(name) {
    size.value = name;
    this.likes.write({ size: name });
    redraw();
    if (this.bench.selection.focus !== null) queueMicrotask(() => this.goTo(this.bench.selection.focus, { rest: false }));
  }

  keepKeys() {
    this.likes.write({ keys: this.keys.changes });
    redraw();
  }

  forgetFailure() {
    this.bench.failure = "";
    redraw();
  }

  async tour() {
    dialog.value = { name: "tour" }; // meanwhile keys mean nothing to the cells behind it
    this.likes.write({ toured: true });
    redraw();
    const ended = () => {
      dialog.value = null;
      setTimeout(() => this.focus()); // after the tour gave the focus back to what had it
    };
    try {
      await tour(this, ended);
    } catch {
      ended();
      this.bench.failure = gettext("The tour could not be loaded.");
      redraw();
    }
  }

  // --- mouse and touch --------------------------------------------------------------------------------------

  clicked(event) {
    const id = cellOf(event.target);
    if (id === null) return;
    const { selection, sections } = this.bench;
    if (event.shiftKey) selection.extend(id, sections);
    else if (event.ctrlKey || event.metaKey || event.pointerType === "touch") selection.toggle(id);
    else {
      selection.go(id);
      selection.take([id]);
    }
    this.bench.sayChosen();
    redraw();
  }

  doubleClicked(event) {
    const id = cellOf(event.target);
    if (id === null) return;
    this.bench.selection.go(id);
    this.large({});
  }

  dragged(event) {
    const id = cellOf(event.target);
    if (id === null || !this.mayDecide) return;
    const { selection } = this.bench;
    if (!selection.chosen.has(id)) {
      selection.go(id);
      selection.take([id]);
      redraw();
    }
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", String(selection.chosen.size));
    const n = selection.chosen.size;
    const ghost = document.createElement("div");
    ghost.className = "rv-ghost";
    ghost.textContent = counted(ngettext("%(n)s cell", "%(n)s cells", n), n);
    document.body.append(ghost);
    event.dataTransfer.setDragImage(ghost, -10, -10);
    setTimeout(() => ghost.remove());
    this.dragging = true;
  }

  listen(root) {
    addEventListener("keydown", (event) => this.pressed(event));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this.do(button.dataset.do, { code: button.dataset.code });
    });
    // Buttons leave the focus where it is, so that Enter goes on to mean the cells; the keyboard reaches them by Tab.
    root.addEventListener("mousedown", (event) => {
      if (event.target.closest("[data-do]")) event.preventDefault();
    });
    const target = (event) => (this.dragging ? event.target.closest("[data-class]") : null);
    const mark = (element) => {
      for (const one of root.querySelectorAll(".is-over")) if (one !== element) one.classList.remove("is-over");
      element?.classList.add("is-over");
    };
    root.addEventListener("dragover", (event) => {
      const over = target(event);
      mark(over);
      if (over) event.preventDefault();
    });
    root.addEventListener("drop", (event) => {
      const over = target(event);
      mark(null);
      if (!over) return;
      event.preventDefault();
      this.decide(over.dataset.class);
    });
    root.addEventListener("dragend", () => {
      this.dragging = false;
      mark(null);
    });
    addEventListener("beforeunload", (event) => {
      if (this.bench.queue.unsaved) event.preventDefault();
    });
  }
}

function stepped(by) {
  const names = Object.keys(SIZES);
  return names[Math.min(names.length - 1, Math.max(0, names.indexOf(size.value) + by))];
}

function cellOf(element) {
  const found = element.closest("[data-cell]");
  return found ? Number(found.dataset.cell) : null;
}
