// SPDX-License-Identifier: Apache-2.0
// Session contexts: one row for the RTP half and one for the RTCP half of each direction, with ECC per 64 bits. One
// read per clock, answer two clocks later; written by ctx_admin alone. No register or descriptor reads it.
//
// A row (octet 0 of a field is its highest bits):
//   255:0    key; AES-128 in the upper half
//   367:256  salt; 12 octets of GCM in the upper 96
//   687:368  GCM: H in 687:560. HMAC: inner state 687:528, outer state 527:368
//   688      valid    691:689 algorithm (ALG_*)    707:692 generation    767:708 zero
`default_nettype none

module ctx_ram #(
	parameter integer CTX_BITS = 8
) (
	input  wire                clk,
	input  wire                we,
	input  wire [CTX_BITS:0]   waddr,     // {context, RTCP}
	input  wire [767:0]        wdata,
	input  wire                hold,      // keeps both answers where they are
	input  wire [CTX_BITS:0]   raddr,
	output reg  [767:0]        rdata,
	output reg                 corrected,
	output reg                 fatal,
	input  wire [1:0]          inject,    // test: flips the lowest bits of what is read now
	input  wire                wipe,
	input  wire [CTX_BITS:0]   wipe_at
);
	reg [863:0] mem [0:(2 << CTX_BITS)-1];
	reg [863:0] row;

	wire [95:0] check;
	wire [767:0] fixed;
	wire [11:0] word_corrected, word_fatal;
	genvar i;
	generate
		for (i = 0; i < 12; i = i + 1) begin : word
			secded_encode encode (.data (wdata[64*i +: 64]), .check (check[8*i +: 8]));
			secded_decode decode (
				.data      (row[64*i +: 64]),
				.check     (row[768 + 8*i +: 8]),
				.fixed     (fixed[64*i +: 64]),
				.corrected (word_corrected[i]),
				.fatal     (word_fatal[i])
			);
		end
	endgenerate

	always @(posedge clk) begin
		if (we || wipe)
			mem[wipe ? wipe_at : waddr] <= wipe ? 864'h0 : {check, wdata};
		if (!hold) begin
			row       <= mem[raddr] ^ {862'h0, inject};
			rdata     <= fixed;
			corrected <= |word_corrected;
			fatal     <= |word_fatal;
		end
	end
endmodule

`default_nettype wire
