// SPDX-License-Identifier: Apache-2.0
// The free packet slots. Every slot is handed out once, then goes round through a queue. One slot stands ready in
// front, so that taking one is a look at a register.
`default_nettype none

module slot_pool #(
	parameter integer SLOT_BITS = 7
) (
	input  wire                 clk,
	input  wire                 rst,
	output wire                 available,
	output wire [SLOT_BITS-1:0] slot,
	input  wire                 take,
	input  wire                 give,
	input  wire [SLOT_BITS-1:0] give_slot,
	output reg  [SLOT_BITS:0]   used
);
	reg [SLOT_BITS:0] fresh; // next slot never used since reset
	wire [SLOT_BITS-1:0] recycled;
	wire empty, unused_full;
	wire from_fresh = !fresh[SLOT_BITS];

	fifo #(.WIDTH (SLOT_BITS), .LOG2 (SLOT_BITS)) free (
		.clk (clk), .rst (rst), .push (give), .in (give_slot), .pop (take && !from_fresh), .out (recycled),
		.empty (empty), .full (unused_full)
	);

	assign available = from_fresh || !empty;
	assign slot = from_fresh ? fresh[SLOT_BITS-1:0] : recycled;

	always @(posedge clk) begin
		if (rst) begin
			fresh <= {(SLOT_BITS + 1){1'b0}};
			used <= {(SLOT_BITS + 1){1'b0}};
		end else begin
			if (take && from_fresh)
				fresh <= fresh + 1'b1;
			if (take && !give)
				used <= used + 1'b1;
			if (give && !take)
				used <= used - 1'b1;
		end
	end
endmodule

`default_nettype wire
