// Whether a file may be a picture, by its name and its first bytes.

import { HEAD } from "./limits.js";
import { hex } from "./digest.js";

const SYSTEM_FILES = new Set(["thumbs.db", "desktop.ini"]);

// Tells why a file is not even asked for; null for one that may be a picture. Names that pictures have are believed.
// `suffixes` and `openings` (hexadecimal, a regular expression) are what the server takes.
export function pictures(suffixes, openings) {
  const names = new Set(suffixes.split(" "));
  const heads = new RegExp(`^(${openings})`);

  return async (file) => {
    const name = file.name.toLowerCase();
    if (name.startsWith(".") || SYSTEM_FILES.has(name)) return gettext("A hidden or system file.");
    if (names.has(name.slice(name.lastIndexOf(".")))) return null;
    try {
      if (heads.test(hex(await file.slice(0, HEAD).arrayBuffer()))) return null;
    } catch {
      return gettext("It cannot be read.");
    }
    return file.size ? gettext("Not a picture, by its content.") : gettext("Empty, and not named like a picture.");
  };
}

export async function isReadable(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}
