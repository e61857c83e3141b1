// SPDX-License-Identifier: Apache-2.0
// What the page says (the microphone or a tone) and what it hears, with the seconds of a tone in it.

// Runs beside the page: blocks of 100 ms, and whether one frequency (Goertzel) is most of each.
const ear = `registerProcessor("ear", class extends AudioWorkletProcessor {
	constructor(options) {
		super();
		this.hz = options.processorOptions.hz;
		this.size = Math.round(sampleRate / 10);
		this.begin();
	}
	begin() {
		this.n = this.total = this.s1 = this.s2 = this.peak = 0;
	}
	process([input]) {
		const k = 2 * Math.cos(2 * Math.PI * this.hz / sampleRate);
		for (const x of input[0] ?? []) {
			const s = x + k * this.s1 - this.s2;
			this.s2 = this.s1;
			this.s1 = s;
			this.total += x * x;
			this.peak = Math.max(this.peak, Math.abs(x));
			if (++this.n === this.size) {
				const power = this.s1 * this.s1 + this.s2 * this.s2 - k * this.s1 * this.s2;
				this.port.postMessage({ peak: this.peak, share: this.total ? 2 * power / (this.n * this.total) : 0 });
				this.begin();
			}
		}
		return true;
	}
});`;

const LOUD = 0.03, CLEAR = 0.8;

export class Sound {
	constructor(speaker) {
		this.speaker = speaker;
		this.forget();
	}

	forget() {
		this.heard = { tone: 0, loud: 0, seconds: 0 };
	}

	// Safe to call again: a page registers more than once.
	async start(sends, listensFor) {
		this.listensFor = listensFor;
		if (this.stream)
			return;
		this.context = new AudioContext();
		this.works = await Promise.race([this.context.resume().then(() => true), new Promise((done) => setTimeout(done, 2000, false))]);
		if (this.works)
			await this.context.audioWorklet.addModule(URL.createObjectURL(new Blob([ear], { type: "text/javascript" })));
		// Firefox computes no audio where there is no sound device; the tone of its fake microphone has to do.
		this.stream = sends && this.works ? this.tone(sends) : await navigator.mediaDevices.getUserMedia({ audio: true });
	}

	tone(hz) {
		const to = this.context.createMediaStreamDestination();
		const gain = new GainNode(this.context, { gain: 0.5 });
		const source = new OscillatorNode(this.context, { frequency: hz });
		source.connect(gain).connect(to);
		source.start();
		return to.stream;
	}

	hear(stream) {
		// Chromium decodes a remote stream only while an element plays it.
		this.speaker.srcObject = stream;
		if (!this.works)
			return;
		this.ear?.disconnect();
		this.ear = new AudioWorkletNode(this.context, "ear", { numberOfOutputs: 0, processorOptions: { hz: this.listensFor } });
		this.ear.port.onmessage = ({ data }) => {
			this.heard.seconds += 0.1;
			this.heard.loud += data.peak >= LOUD ? 0.1 : 0;
			this.heard.tone += data.peak >= LOUD && data.share >= CLEAR ? 0.1 : 0;
		};
		new MediaStreamAudioSourceNode(this.context, { mediaStream: stream }).connect(this.ear);
	}
}
