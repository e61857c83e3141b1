// SPDX-License-Identifier: Apache-2.0
// Firefox of the distribution, driven by WebDriver BiDi (W3C), which it speaks by itself.
import { spawn } from "node:child_process";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import WebSocket from "ws";

// A tone instead of a microphone, no questions, nothing that calls home.
const prefs = {
	"media.navigator.streams.fake": true,
	"media.navigator.audio.fake_frequency": 440,
	"media.navigator.permission.disabled": true,
	"media.autoplay.default": 0,
	"media.autoplay.blocking_policy": 0,
	"media.autoplay.block-webaudio": false,
	"media.peerconnection.ice.obfuscate_host_addresses": false,
	"network.manage-offline-status": false,
	"network.captive-portal-service.enabled": false,
	"network.connectivity-service.enabled": false,
	"app.update.enabled": false,
	"browser.safebrowsing.provider.mozilla.updateURL": "",
	"datareporting.policy.dataSubmissionEnabled": false,
	"services.settings.server": "http://127.0.0.1:9/",
	"toolkit.telemetry.enabled": false,
};

class Session {
	constructor(socket, say) {
		this.socket = socket;
		this.waiting = new Map();
		this.next = 1;
		socket.on("message", (text) => {
			const m = JSON.parse(text);
			if (m.type === "event")
				say(`console: ${m.params.text ?? ""}`);
			else if (m.type === "success")
				this.waiting.get(m.id)?.resolve(m.result);
			else
				this.waiting.get(m.id)?.reject(new Error(`${m.error}: ${m.message}`));
			this.waiting.delete(m.id);
		});
	}

	send(method, params) {
		return new Promise((resolve, reject) => {
			this.waiting.set(this.next, { resolve, reject });
			this.socket.send(JSON.stringify({ id: this.next++, method, params }));
		});
	}
}

// Resolves with the address that Firefox says it listens on.
function listening(child) {
	return new Promise((resolve, reject) => {
		child.once("exit", (code) => reject(new Error(`firefox ended with ${code}`)));
		readline.createInterface({ input: child.stderr }).on("line", (line) => {
			const at = line.match(/WebDriver BiDi listening on (ws:\S+)/);
			if (at)
				resolve(at[1]);
			else
				console.error(`firefox: ${line}`);
		});
	});
}

// As drive.mjs wants it: { name, evaluate(text) -> value, close() }.
export async function firefox(executable, url) {
	const profile = await fs.mkdtemp(path.join(os.tmpdir(), "srtpgw-firefox-"));
	const lines = Object.entries(prefs).map(([k, v]) => `user_pref(${JSON.stringify(k)}, ${JSON.stringify(v)});`);
	await fs.writeFile(path.join(profile, "user.js"), lines.join("\n"));
	const child = spawn(executable, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "9222"],
		{ stdio: ["ignore", "ignore", "pipe"] });
	const socket = new WebSocket(`${await listening(child)}/session`);
	await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
	const session = new Session(socket, (text) => console.error(text));
	const { capabilities } = await session.send("session.new", { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
	await session.send("session.subscribe", { events: ["log.entryAdded"] });
	const { contexts } = await session.send("browsingContext.getTree", {});
	const target = { context: contexts[0].context };
	await session.send("browsingContext.navigate", { ...target, url, wait: "complete" });
	return {
		name: `firefox ${capabilities.browserVersion}`,
		async evaluate(text) {
			const { type, result, exceptionDetails } = await session.send("script.evaluate",
				{ expression: `(async () => JSON.stringify((await ${text}) ?? null))()`, target, awaitPromise: true });
			if (type === "exception")
				throw new Error(exceptionDetails.text);
			return JSON.parse(result.value);
		},
		async close() {
			await session.send("browser.close", {}).catch(() => {});
			await new Promise((resolve) => (child.exitCode === null ? child.once("exit", resolve) : resolve()));
			await fs.rm(profile, { recursive: true, force: true });
		},
	};
}
