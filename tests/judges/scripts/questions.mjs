// Reads a question from each line of standard input and writes the verdict on a line of standard
// output. The time is the question's, so that a test need not wait for a token to expire.
import { createInterface } from "node:readline";
import { mock } from "node:test";

export async function answer(verify) {
  mock.timers.enable({ apis: ["Date"] });
  for await (const line of createInterface({ input: process.stdin })) {
    const { now, token } = JSON.parse(line);
    mock.timers.setTime(now);
    process.stdout.write(`${JSON.stringify(await verdict(verify, token))}\n`);
  }
}

async function verdict(verify, token) {
  try {
    // As text, for it may be JSON that not every reader takes.
    return { claims: JSON.stringify(await verify(token)) };
  } catch (error) {
    // What a message quotes is the token's own, such as the name of a key.
    return { refused: error.code ?? error.type ?? error.message.replace(/'[^']+'/, "'…'") };
  }
}
