// Reads what was dropped, folders through and through.

const promised = (start) => new Promise((resolve, reject) => start(resolve, reject));

// Gives `add` the files as they are found, and `leaveOut` by name what cannot be read; the rest goes on.
export async function walk(entries, { add, leaveOut }) {
  const items = [];
  for (const entry of entries.filter(({ isFile }) => isFile)) {
    const name = entry.fullPath.slice(1);
    try {
      items.push({ name, file: await promised((ok, no) => entry.file(ok, no)) });
    } catch {
      leaveOut({ name }, gettext("It cannot be read."));
    }
  }
  await add(items);
  for (const folder of entries.filter(({ isDirectory }) => isDirectory)) {
    const name = folder.fullPath.slice(1);
    if (folder.name.startsWith(".")) {
      leaveOut({ name }, gettext("A hidden folder."));
      continue;
    }
    const reader = folder.createReader(); // gives a part of the folder at a time
    try {
      for (let found; (found = await promised((ok, no) => reader.readEntries(ok, no))).length; ) {
        await walk(found, { add, leaveOut });
      }
    } catch {
      leaveOut({ name }, gettext("The folder cannot be read, or not to its end."));
    }
  }
}
