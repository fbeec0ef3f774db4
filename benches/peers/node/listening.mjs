// Tells whoever started this program where it listens, and ends it when its input does.
export function announce({ port }) {
  console.log(`http://127.0.0.1:${port}`);
  process.stdin.on("end", () => process.exit(0)).resume();
}
