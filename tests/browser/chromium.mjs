// SPDX-License-Identifier: Apache-2.0
// Chromium of the distribution, driven by playwright-core.
import { chromium as launcher } from "playwright-core";

// As drive.mjs wants it: { name, evaluate(text) -> value, close() }.
export async function chromium(executablePath, url, args) {
	const browser = await launcher.launch({ executablePath, headless: true, args, timeout: 120000 });
	const context = await browser.newContext({ permissions: ["microphone"] });
	const page = await context.newPage();
	page.setDefaultTimeout(120000);
	page.on("console", (m) => console.error(`console: ${m.text()}`));
	page.on("pageerror", (e) => console.error(`page: ${e.message}`));
	await page.goto(url);
	return {
		name: `chromium ${browser.version()}`,
		evaluate: (text) => page.evaluate(text),
		close: () => browser.close(),
	};
}
