// SPDX-License-Identifier: Apache-2.0
// A SIP phone in a page, on JsSIP: registers over a WebSocket, calls and is called. Tests and the demo drive it through
// window.phone; people through the forms. Every function of `phone` that waits rejects with a reason.
import JsSIP from "jssip";
import { Picture } from "./picture.js";
import { Sound } from "./sound.js";
import { pictureOf, transportOf } from "./stats.js";

// With ?trace in the page's address the console has every message.
if (new URLSearchParams(location.search).has("trace"))
	JsSIP.debug.enable("JsSIP:*");

const show = (text) => { document.getElementById("said").textContent = text; };

class Phone {
	constructor(speaker, screen) {
		this.events = []; // what happened, oldest first: for those who look for the cause
		this.autoAnswer = false;
		this.sound = new Sound(speaker);
		this.picture = new Picture(screen);
	}

	// Another phone in the page, for somebody else.
	get second() {
		return this.other ??= new Phone(...[this.sound.speaker, this.picture.screens[0]].map((e) => document.body.appendChild(e.cloneNode())));
	}

	note(what, more = "") {
		this.events.push(`${what} ${more}`.trim());
		show(this.events.at(-1));
	}

	// sends: the pitch of a tone in Hz, 0 for the microphone; shows: colours, "" for no video. Resolves when the
	// registrar said yes.
	async register({ server, uri, password, sends = 0, listensFor = 0, shows = "" }) {
		this.shows = shows.split(" ").filter(Boolean);
		await this.sound.start(Number(sends), Number(listensFor));
		this.agent?.stop();
		this.agent = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(server)], uri, password, register: true });
		this.agent.on("newRTCSession", (e) => this.take(e.session, e.originator));
		this.agent.on("disconnected", (e) => this.note("disconnected", e.reason ?? ""));
		await new Promise((resolve, reject) => {
			this.agent.once("registered", resolve);
			this.agent.once("registrationFailed", (e) => reject(new Error(`registration failed: ${e.cause}`)));
			this.agent.start();
		});
		this.note("registered", uri);
	}

	take(session, originator) {
		this.session = session;
		this.setup = {}; // milliseconds since now
		this.began = performance.now();
		this.note(originator === "remote" ? "called" : "calling", session.remote_identity.uri.user);
		session.on("peerconnection", (e) => this.listen(e.peerconnection));
		if (session.connection)
			this.listen(session.connection);
		for (const event of ["progress", "accepted", "confirmed", "hold", "unhold"])
			session.on(event, () => this.note(event));
		session.on("accepted", () => { this.setup.answered = this.since(); });
		session.on("ended", (e) => this.note("ended", e.cause));
		session.on("failed", (e) => this.note("failed", `${e.cause} ${e.message?.reason_phrase ?? ""}`));
		session.on("getusermediafailed", (e) => this.note("getusermediafailed", String(e)));
		session.on("peerconnection:setremotedescriptionfailed", (e) => this.note("setremotedescriptionfailed", String(e)));
		if (originator === "remote" && this.autoAnswer)
			this.answer();
	}

	since() {
		return Math.round(performance.now() - this.began);
	}

	listen(connection) {
		// ICE and DTLS are done: media may flow.
		connection.addEventListener("connectionstatechange", () => {
			if (connection.connectionState === "connected")
				this.setup.connected ??= this.since();
		});
		connection.addEventListener("track", (e) => {
			if (e.track.kind === "video") {
				const videos = connection.getTransceivers().filter((t) => t.receiver.track.kind === "video");
				this.picture.see(e.track, videos.indexOf(e.transceiver));
				return;
			}
			this.sound.hear(new MediaStream([e.track]));
			this.awaitAudio(e.receiver);
		});
	}

	// When the first packet of audio was played.
	awaitAudio(receiver) {
		const setup = this.setup, began = this.began, timer = setInterval(() => {
			const [source] = receiver.getSynchronizationSources();
			if (source || this.session?.isEnded())
				clearInterval(timer);
			if (source)
				setup.heard ??= Math.round(source.timestamp - performance.timeOrigin - began);
		}, 5);
	}

	options() {
		const tracks = [...this.sound.stream.getAudioTracks(), ...this.picture.tracks(this.shows)];

		return { mediaStream: new MediaStream(tracks), pcConfig: { iceServers: [] }, rtcAnswerConstraints: {}, rtcOfferConstraints: {} };
	}

	call(target) {
		this.agent.call(target, this.options());
	}

	answer() {
		this.session.answer(this.options());
	}

	hold() {
		return new Promise((resolve, reject) => this.session.hold({}, resolve) || reject(new Error("cannot hold now")));
	}

	resume() {
		return new Promise((resolve, reject) => this.session.unhold({}, resolve) || reject(new Error("cannot resume now")));
	}

	// ICE begins again, by an offer of this browser's.
	restart() {
		return new Promise((resolve, reject) =>
			this.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, resolve) || reject(new Error("cannot offer now")));
	}

	hangup() {
		if (this.session && !this.session.isEnded())
			this.session.terminate();
	}

	// Unregisters. The page can register again.
	leave() {
		this.agent?.stop();
	}

	state() {
		const s = this.session;
		const call = !s ? "none" : s.isEnded() ? "ended" : s.isEstablished() ? "up" : "setup";
		return { call, held: s && !s.isEnded() ? s.isOnHold() : { local: false, remote: false }, events: this.events };
	}

	// What the browser says of its call, and what was heard since the last heard(true).
	async stats() {
		const { connection } = this.session;

		return { ...(await transportOf(connection)), heard: this.sound.heard, setup: this.setup,
			video: { ...(await pictureOf(connection)), colours: this.picture.seen() } };
	}

	listenAgain() {
		this.sound.forget();
	}
}

const phone = new Phone(document.getElementById("far"), document.getElementById("screen"));
window.phone = phone;

// The account may come with the page's address: ?server=...&uri=...&password=...&target=...
for (const [name, value] of new URLSearchParams(location.search))
	for (const field of document.querySelectorAll(`input[name="${CSS.escape(name)}"]`))
		field.value = value;

const fields = (form) => Object.fromEntries(new FormData(form));
const attempt = (what) => Promise.resolve().then(what).catch((e) => show(e.message));

document.getElementById("account").addEventListener("submit", (e) => {
	e.preventDefault();
	attempt(() => phone.register(fields(e.target)));
});
document.getElementById("call").addEventListener("submit", (e) => {
	e.preventDefault();
	attempt(() => phone.call(fields(e.target).target));
});
for (const what of ["answer", "hold", "resume", "hangup"])
	document.getElementById(what).addEventListener("click", () => attempt(() => phone[what]()));
setInterval(async () => {
	if (phone.state().call === "up")
		document.getElementById("stats").textContent = JSON.stringify(await phone.stats(), null, 2);
}, 1000);
