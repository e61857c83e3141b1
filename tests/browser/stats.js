// SPDX-License-Identifier: Apache-2.0
// What a browser itself says of a call (W3C webrtc-stats), as one flat object.

const VERSIONS = { FEFF: "DTLS 1.0", FEFD: "DTLS 1.2", FEFC: "DTLS 1.3" };

export async function transportOf(connection) {
	const all = [...(await connection.getStats()).values()];
	const one = (type, also = () => true) => all.find((s) => s.type === type && also(s)) ?? {};
	const transport = one("transport"), heard = one("inbound-rtp", (s) => s.kind === "audio");
	const certificate = all.find((s) => s.id === transport.remoteCertificateId) ?? {};
	const said = one("outbound-rtp", (s) => s.kind === "audio"), codec = all.find((s) => s.id === heard.codecId) ?? {};
	return {
		dtls: VERSIONS[transport.tlsVersion] ?? transport.tlsVersion ?? "",
		dtlsState: transport.dtlsState ?? "",
		dtlsCipher: transport.dtlsCipher ?? "",
		srtpCipher: (transport.srtpCipher ?? "").replace(/^SRTP_/, ""),
		peerFingerprint: certificate.fingerprint ?? "",
		iceState: transport.iceState ?? connection.iceConnectionState,
		codec: (codec.mimeType ?? "").replace("audio/", ""),
		packetsReceived: heard.packetsReceived ?? 0,
		packetsLost: heard.packetsLost ?? 0,
		packetsSent: said.packetsSent ?? 0,
		audioLevel: heard.audioLevel ?? 0,
	};
}

// The same of its video.
export async function pictureOf(connection) {
	const all = [...(await connection.getStats()).values()];
	const one = (type) => all.find((s) => s.type === type && s.kind === "video") ?? {};
	const seen = one("inbound-rtp"), shown = one("outbound-rtp"), codec = all.find((s) => s.id === seen.codecId) ?? {};
	return {
		transports: all.filter((s) => s.type === "transport").length,
		codec: (codec.mimeType ?? "").replace("video/", ""),
		framesDecoded: seen.framesDecoded ?? 0,
		packetsLost: seen.packetsLost ?? 0,
		framesSent: shown.framesSent ?? 0,
		firCount: shown.firCount ?? 0,
		pliCount: shown.pliCount ?? 0,
		remote: all.filter((s) => s.type === "remote-inbound-rtp" && s.kind === "video").map((s) => s.packetsLost),
	};
}
