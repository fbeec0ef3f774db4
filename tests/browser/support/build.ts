/** Builds the page, once for all tests. */
import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

/** Where the page is built. */
export const PAGES = new URL("../../../target/browser/page/", import.meta.url).pathname;

const SOURCE = new URL("../page/", import.meta.url).pathname;

export default async function buildThePage(): Promise<void> {
  await build({
    entryPoints: [`${SOURCE}page.ts`],
    outfile: `${PAGES}page.js`,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  await copyFile(`${SOURCE}index.html`, `${PAGES}index.html`);
}
