// Tries again what may pass.

import { WAITS } from "./limits.js";

export class Final extends Error {} // trying again would not help

// 429 and the server's own failures pass; what else is wrong with a request stays wrong.
export const mayPass = (status) => status === 429 || status >= 500;

// Runs `attempt` until it succeeds, fails for good, or has failed too often.
export async function retry(attempt, isStopped = () => false) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Final || tries >= WAITS.length || isStopped()) throw error;
      const ms = WAITS[tries] * (0.5 + Math.random() / 2); // jitter: not all at once again
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
}

export function reason(error) {
  return error instanceof TypeError ? gettext("The connection was lost.") : error.message; // fetch throws TypeError
}
