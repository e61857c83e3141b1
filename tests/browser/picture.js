// SPDX-License-Identifier: Apache-2.0
// What the page shows to others: a field of one colour with a moving bar; and the colour of what it sees.

const WIDTH = 320, HEIGHT = 240, FRAMES = 10;

export class Picture {
	constructor(screen) {
		this.screen = screen;
	}

	// The track of a field of this CSS colour, the same for every call.
	track(colour) {
		if (!this.sent) {
			const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
			const pen = canvas.getContext("2d");
			let at = 0;

			setInterval(() => {
				pen.fillStyle = this.colour;
				pen.fillRect(0, 0, WIDTH, HEIGHT);
				pen.fillStyle = "black";
				pen.fillRect(at = (at + 4) % WIDTH, HEIGHT - 20, 20, 20);
			}, 1000 / FRAMES);
			this.sent = canvas.captureStream(FRAMES).getVideoTracks()[0];
		}
		this.colour = colour;
		return this.sent;
	}

	see(track) {
		this.screen.srcObject = new MediaStream([track]);
	}

	// Red, green and blue of the middle of what was seen last, 0 to 255; null: nothing so far.
	seen() {
		const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
		const pen = canvas.getContext("2d"), { videoWidth, videoHeight } = this.screen;

		if (!videoWidth)
			return null;
		pen.drawImage(this.screen, videoWidth / 2, videoHeight / 2, 1, 1, 0, 0, 1, 1);
		return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
	}
}
