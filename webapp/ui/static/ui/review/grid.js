// Where cells lie: sections one below the other, each with a head and rows of squares. Only what is to be seen is drawn.

export const HEAD = 38; // of a section
export const GAP = 6; // between cells
export const CAPTION = 17; // below a cell, where its section does not say what it is
export const AFTER = 18; // below a section

// `side`: how large cells are to be, about; they fill the width. `captioned`: whether cells of a section bear a caption.
export function layout(sections, { width, side, captioned }) {
  const columns = Math.max(1, Math.round((width + GAP) / (side + GAP)));
  const size = Math.max(1, Math.floor((width + GAP) / columns) - GAP);
  let top = 0;
  const blocks = sections.map((section) => {
    const pitch = size + GAP + (captioned(section.code) ? CAPTION : 0);
    const rows = Math.ceil(section.count / columns); // those to be loaded have their room already
    const block = { code: section.code, top, rows, pitch, height: HEAD + rows * pitch + AFTER };
    top += block.height;
    return block;
  });
  return { columns, size, blocks, height: top };
}

const rowsTop = (block) => block.top + HEAD;

// Which rows of which blocks lie between two heights: [block's index, first row, last row + 1].
export function drawn({ blocks }, top, bottom, { over = 0 } = {}) {
  const found = [];
  for (const [b, block] of blocks.entries()) {
    if (block.top > bottom + over || block.top + block.height < top - over) continue;
    const first = Math.max(0, Math.floor((top - over - rowsTop(block)) / block.pitch));
    const last = Math.min(block.rows, Math.ceil((bottom + over - rowsTop(block)) / block.pitch));
    found.push([b, first, Math.max(first, last)]);
  }
  return found;
}

// The places of a block's cells that are wholly on the screen, below its head, which stays at the top: [from, to).
export function whole({ blocks, columns, size }, b, top, bottom) {
  const block = blocks[b];
  const first = Math.max(0, Math.ceil((top + HEAD - rowsTop(block) - 1) / block.pitch));
  const last = Math.min(block.rows, Math.floor((bottom - rowsTop(block) - size + 1) / block.pitch) + 1);
  return last > first ? [first * columns, last * columns] : [0, 0];
}

export function boxOf({ blocks, columns, size }, b, i) {
  const block = blocks[b];
  return {
    left: (i % columns) * (size + GAP),
    top: rowsTop(block) + Math.floor(i / columns) * block.pitch,
    height: block.pitch - GAP,
  };
}

// Where to scroll so that a cell is wholly to be seen; the same where it is.
export function reveal(plan, b, i, top, height) {
  const box = boxOf(plan, b, i);
  if (box.top < top + HEAD) return i < plan.columns ? plan.blocks[b].top : box.top - HEAD;
  if (box.top + box.height > top + height) return box.top + box.height - height + GAP;
  return top;
}

// Where to scroll to go on with a section from one of its cells: nowhere as long as the rest of it, up to `last`, is on
// the screen; else its row comes to the top.
export function goOn(plan, b, i, last, top, height) {
  const from = boxOf(plan, b, i);
  const to = boxOf(plan, b, last);
  if (from.top >= top + HEAD && to.top + to.height <= top + height) return top;
  return i < plan.columns ? plan.blocks[b].top : from.top - HEAD;
}

// The cells that a frame touches: [block's index, place] each.
export function framed({ blocks, columns, size }, { left, top, right, bottom }, counts) {
  const found = [];
  for (const [b, block] of blocks.entries()) {
    const first = Math.max(0, Math.floor((top - rowsTop(block) + GAP) / block.pitch));
    const last = Math.min(block.rows - 1, Math.floor((bottom - rowsTop(block)) / block.pitch));
    for (let row = first; row <= last; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const x = column * (size + GAP);
        const i = row * columns + column;
        if (x <= right && x + size >= left && i < counts[b]) found.push([b, i]);
      }
    }
  }
  return found;
}
