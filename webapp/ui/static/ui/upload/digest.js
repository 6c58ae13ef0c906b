// What a file's bytes are known by.

import { DIGESTED } from "./limits.js";

export const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

// The SHA-256 of a file, where the browser computes any: it does not on a page that came in plain text.
export async function sha256(file) {
  if (!crypto.subtle || file.size > DIGESTED) return undefined;
  return hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
}
