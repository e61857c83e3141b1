// SPDX-License-Identifier: Apache-2.0
// Starts a browser with the page and does what it is told: one JSON line each way.
//
//   in   {"do": "register", "with": {...}}      a function of window.phone and its argument
//        {"set": "autoAnswer", "with": true}    a field of it
//   out  {"ready": "browser version"}           once; then for each line in
//        {"value": ...} or {"error": "..."}
//
// node drive.mjs FOLDER PORT EXECUTABLE [FLAG ...]: serves FOLDER on 127.0.0.1:PORT. Ends with its input.
import http from "node:http";
import fs from "node:fs/promises";
import path from "node:path";
import readline from "node:readline";
import { chromium } from "./chromium.mjs";
import { firefox } from "./firefox.mjs";

const [folder, port, executable, ...flags] = process.argv.slice(2);
const types = { ".html": "text/html", ".js": "text/javascript" };

async function serve(request, response) {
	const name = path.basename(new URL(request.url, "http://x").pathname) || "phone.html";
	try {
		const body = await fs.readFile(path.join(folder, name));
		response.writeHead(200, { "content-type": types[path.extname(name)] ?? "text/plain" }).end(body);
	} catch {
		response.writeHead(404).end();
	}
}

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const server = http.createServer(serve);
await new Promise((resolve) => server.listen(Number(port), "127.0.0.1", resolve));
const start = path.basename(executable).startsWith("firefox") ? firefox : chromium;
const page = await start(executable, `http://127.0.0.1:${port}/${process.env.LAB_TRACE ? "?trace" : ""}`, flags);
say({ ready: page.name });
for await (const line of readline.createInterface({ input: process.stdin })) {
	const what = JSON.parse(line), given = JSON.stringify(what.with ?? null);
	try {
		const value = await page.evaluate(what.set ? `(window.phone.${what.set} = ${given})` : `window.phone.${what.do}(${given})`);
		say({ value: value ?? null });
	} catch (e) {
		say({ error: e.message });
	}
}
await page.close();
server.close();
process.exit(0);
