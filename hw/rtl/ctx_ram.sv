// SPDX-License-Identifier: Apache-2.0
// Session contexts: one row for the RTP half and one for the RTCP half of each direction, with ECC per 64 bits. One
// read per clock, answer two clocks later; written by ctx_admin alone. No register or descriptor reads it.
//
// A row that was read with a bit corrected is written back, so that a second bit cannot join the first. Not when
// anything was written since the read: what was read may be what a wipe has just cleared.
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
	input  wire [1:0]          inject,       // test: flips the lowest bits of what is read now
	input  wire [1:0]          inject_write, // or of what is written now
	input  wire                wipe,
	input  wire [CTX_BITS:0]   wipe_at
);
	reg [863:0] mem [0:(2 << CTX_BITS)-1];
	reg [863:0] read;
	reg [1:0] flip;
	wire [863:0] row = read ^ {862'h0, flip}; // behind the memory's register, which block RAM has inside

	// Where both answers come from, and whether that may have changed.
	reg [CTX_BITS:0] read_addr, rdata_addr;
	reg read_old, rdata_old;
	wire back = corrected && !fatal && !rdata_old && !we && !wipe;
	wire [767:0] in = back ? rdata : wdata;

	wire [95:0] check;
	wire [767:0] fixed;
	wire [11:0] word_corrected, word_fatal;
	genvar i;
	generate
		for (i = 0; i < 12; i = i + 1) begin : word
			secded_encode encode (.data (in[64*i +: 64]), .check (check[8*i +: 8]));
			secded_decode decode (
				.data      (row[64*i +: 64]),
				.check     (row[768 + 8*i +: 8]),
				.fixed     (fixed[64*i +: 64]),
				.corrected (word_corrected[i]),
				.fatal     (word_fatal[i])
			);
		end
	endgenerate

	wire changes = we || back || wipe;
	always @(posedge clk) begin
		if (changes)
			mem[wipe ? wipe_at : back ? rdata_addr : waddr] <= wipe ? 864'h0 : {check, in[767:2],
				in[1:0] ^ (back ? 2'b00 : inject_write)};
		if (!hold) begin
			read       <= mem[raddr];
			flip       <= inject;
			read_addr  <= raddr;
			rdata      <= fixed;
			corrected  <= |word_corrected;
			fatal      <= |word_fatal;
			rdata_addr <= read_addr;
		end
		read_old  <= hold ? read_old || changes : changes;
		rdata_old <= changes || (hold ? rdata_old : read_old);
	end
endmodule

`default_nettype wire
