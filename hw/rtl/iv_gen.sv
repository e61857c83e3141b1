// SPDX-License-Identifier: Apache-2.0
// The initial counter block of a packet, its block counter zero: RFC 3711 section 4.1.1 (counter mode), RFC 7714
// sections 8.1 and 9.1 (GCM). Octet 0 is the highest bits. Without a register.
`default_nettype none

module iv_gen (
	input  wire         gcm,
	input  wire         rtcp,
	input  wire [111:0] salt,   // GCM: the upper 96
	input  wire [31:0]  ssrc,
	input  wire [15:0]  seq,    // RTP
	input  wire [31:0]  index,  // RTP: ROC. RTCP: E flag and index
	output wire [127:0] iv
);
	wire [47:0] packet = rtcp ? {17'h0, index[30:0]} : {index, seq};
	wire [127:0] cm = {salt, 16'h0} ^ {32'h0, ssrc, packet, 16'h0};
	wire [127:0] aead = {salt[111:16] ^ {16'h0, ssrc, packet}, 32'h0};
	assign iv = gcm ? aead : cm;
endmodule

`default_nettype wire
