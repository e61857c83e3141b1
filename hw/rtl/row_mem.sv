// SPDX-License-Identifier: Apache-2.0
// A packet memory of 64-octet rows in which any two neighbouring rows can be written, and any two read, at once: even
// and odd rows lie in two memories. With a shifter at either port an access may begin at any octet, so that headers
// of any length cost no clock. rdata holds row rrow in its lower half, the next in its upper.
`default_nettype none

module row_mem #(
	parameter integer ROW_BITS = 12, // 2^ROW_BITS rows
	parameter integer OCTETS = 64
) (
	input  wire                clk,
	input  wire                we,
	input  wire [ROW_BITS-1:0] wrow,
	input  wire [16*OCTETS-1:0]       wdata,
	input  wire [2*OCTETS-1:0]        wbe,
	input  wire [ROW_BITS-1:0] rrow,
	output wire [16*OCTETS-1:0]       rdata,
	input  wire                wipe,     // clears two rows per clock
	input  wire [ROW_BITS-2:0] wipe_at
);
	// Even rows sit at row / 2; the even row of a pair that starts odd is the next one.
	wire [ROW_BITS-2:0] w_half = wrow[ROW_BITS-1:1];
	wire [ROW_BITS-2:0] r_half = rrow[ROW_BITS-1:1];
	wire w_odd = wrow[0];
	wire r_odd = rrow[0];
	reg  turned;
	wire [8*OCTETS-1:0] even, odd;

	byte_ram #(.OCTETS (OCTETS), .LOG2 (ROW_BITS - 1)) evens (
		.clk   (clk),
		.we    (we || wipe),
		.waddr (wipe ? wipe_at : w_half + {{(ROW_BITS - 2){1'b0}}, w_odd}),
		.wdata (wipe ? {(8*OCTETS){1'b0}} : w_odd ? wdata[8*OCTETS +: 8*OCTETS] : wdata[0 +: 8*OCTETS]),
		.wbe   (wipe ? {OCTETS{1'b1}} : w_odd ? wbe[OCTETS +: OCTETS] : wbe[0 +: OCTETS]),
		.hold  (1'b0),
		.raddr (r_half + {{(ROW_BITS - 2){1'b0}}, r_odd}),
		.rdata (even)
	);
	byte_ram #(.OCTETS (OCTETS), .LOG2 (ROW_BITS - 1)) odds (
		.clk   (clk),
		.we    (we || wipe),
		.waddr (wipe ? wipe_at : w_half),
		.wdata (wipe ? {(8*OCTETS){1'b0}} : w_odd ? wdata[0 +: 8*OCTETS] : wdata[8*OCTETS +: 8*OCTETS]),
		.wbe   (wipe ? {OCTETS{1'b1}} : w_odd ? wbe[0 +: OCTETS] : wbe[OCTETS +: OCTETS]),
		.hold  (1'b0),
		.raddr (r_half),
		.rdata (odd)
	);

	always @(posedge clk)
		turned <= r_odd;
	assign rdata = turned ? {even, odd} : {odd, even};
endmodule

`default_nettype wire
