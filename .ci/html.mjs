// Opens pages in headless Chromium, wide and narrow, light and dark, with all that folds unfolded,
// and lets axe-core look at them. `node html.mjs CHROMIUM PAGE…`, with the packages in NODE_PATH.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.NODE_PATH}/`);
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [executablePath, ...pages] = process.argv.slice(2);
const problems = [];
let looks = 0;

async function look(browser, path, scheme, width, script) {
  const where = `${path}, ${scheme}, ${width} wide${script ? "" : ", without its script"}`;
  const tab = await browser.newPage();
  tab.on("console", (message) => problems.push(`${where}: ${message.text()}`));
  tab.on("pageerror", (error) => problems.push(`${where}: ${error.message}`));
  tab.on("request", (request) => {
    if (!request.url().startsWith("file:")) problems.push(`${where}: asks for ${request.url()}`);
  });
  await tab.setJavaScriptEnabled(script);
  await tab.setViewport({ width, height: 900 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(pathToFileURL(path).href);
  // The policy of the page binds scripts of the page, and not what its developer evaluates.
  const session = await tab.createCDPSession();
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
    });
    if (exceptionDetails) problems.push(`${where}: ${exceptionDetails.text}`);
    return result.value;
  };
  const brought = await evaluate(`!document.getElementById("filter").hidden`);
  if (brought !== script) problems.push(`${where}: the filter is ${brought ? "shown" : "hidden"}`);
  const wider = await evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  if (wider > 0) problems.push(`${where}: ${wider} pixels wider than the window`);
  if (script) {
    await evaluate(`for (const folded of document.querySelectorAll("details")) folded.open = true`);
    const found = await evaluate(`${axe};
      axe.run().then(({ violations }) => JSON.stringify(violations.map(({ id, help, nodes }) =>
        id + ": " + help + " at " + nodes.map((node) => node.target.join(" ")).join(", "))))`);
    for (const violation of JSON.parse(found)) problems.push(`${where}: ${violation}`);
  }
  looks += 1;
  await tab.close();
}

const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox"] });
for (const path of pages) {
  for (const scheme of ["light", "dark"]) {
    for (const width of [1280, 390]) await look(browser, path, scheme, width, true);
  }
  await look(browser, path, "light", 1280, false);
}
await browser.close();
for (const problem of problems) console.error(problem);
console.log(`${pages.length} pages looked at ${looks} times, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
