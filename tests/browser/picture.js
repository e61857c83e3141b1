// SPDX-License-Identifier: Apache-2.0
// What the page shows to others: fields of one colour each with a moving bar; and the colours of what it sees.

const WIDTH = 320, HEIGHT = 240, FRAMES = 10;

// A track of a field whose colour can be changed.
function field() {
	const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
	const pen = canvas.getContext("2d"), made = {};
	let at = 0;

	setInterval(() => {
		pen.fillStyle = made.colour;
		pen.fillRect(0, 0, WIDTH, HEIGHT);
		pen.fillStyle = "black";
		pen.fillRect(at = (at + 4) % WIDTH, HEIGHT - 20, 20, 20);
	}, 1000 / FRAMES);
	made.track = canvas.captureStream(FRAMES).getVideoTracks()[0];
	return made;
}

// Red, green and blue of the middle, 0 to 255; null: nothing so far.
function middle(screen) {
	const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
	const pen = canvas.getContext("2d"), { videoWidth, videoHeight } = screen;

	if (!videoWidth)
		return null;
	pen.drawImage(screen, videoWidth / 2, videoHeight / 2, 1, 1, 0, 0, 1, 1);
	return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

export class Picture {
	constructor(screen) {
		this.screens = [screen];
		this.fields = [];
	}

	// Tracks of fields of these CSS colours, the same for every call.
	tracks(colours) {
		return colours.map((colour, i) => {
			this.fields[i] ??= field();
			this.fields[i].colour = colour;
			return this.fields[i].track;
		});
	}

	// Shows a track on the screen with this number; the first is the page's.
	see(track, number) {
		this.screens[number] ??= document.body.appendChild(this.screens[0].cloneNode());
		this.screens[number].srcObject = new MediaStream([track]);
	}

	// Of each screen.
	seen() {
		return this.screens.map(middle);
	}
}
