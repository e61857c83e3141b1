// SPDX-License-Identifier: Apache-2.0
// Function-level reset: stop fetching, let what is inside end or give up after `limit` clocks, then hold the block in
// reset while every memory that held keys or packets is cleared, then ready. A wipe is the same without waiting. Power-on
// begins with the clearing. Each round is a new epoch: answers to reads of an old one belong to nobody.
`default_nettype none

module reset_ctl #(
	parameter integer WIPE_BITS = 9 // 2^WIPE_BITS clocks reach every word; 9 or more, for the queues' sake
) (
	input  wire                 clk,
	input  wire                 rst,
	input  wire                 ask_reset,
	input  wire                 ask_wipe,
	input  wire [31:0]          limit,
	input  wire                 busy,
	output wire                 stop,       // fetch no more
	output wire                 block_rst,
	output reg                  wipe,
	output reg  [WIPE_BITS-1:0] wipe_at,
	output wire                 ready,
	output reg                  timed_out,
	output reg  [1:0]           epoch
);
	localparam [1:0] WIPE = 2'd0, REST = 2'd1, RUN = 2'd2, DRAIN = 2'd3;

	reg [1:0] state;
	reg [31:0] clocks;
	reg reset_q;

	assign stop      = state != RUN;
	assign ready     = state == RUN;
	assign block_rst = reset_q;

	always @(posedge clk) begin
		reset_q <= rst || state == WIPE || state == REST;
		wipe    <= !rst && state == WIPE;
		wipe_at <= clocks[WIPE_BITS-1:0];
		if (rst) begin
			state <= WIPE;
			clocks <= 32'd0;
			timed_out <= 1'b0;
			epoch <= 2'd0;
		end else begin
			clocks <= clocks + 32'd1;
			case (state)
			WIPE: if (&clocks[WIPE_BITS-1:0]) begin
				state <= REST;
				clocks <= 32'd0;
				epoch <= epoch + 2'd1; // not before: what is offered in the reset's first clocks is of the old one
			end
			REST: if (clocks[7:0] == 8'd255) // what was in the pipelines has run out by now
				state <= RUN;
			RUN: begin
				clocks <= 32'd0;
				if (ask_wipe || ask_reset) begin
					state <= ask_wipe ? WIPE : DRAIN;
					timed_out <= 1'b0;
				end
			end
			default: if (!busy || clocks >= limit || ask_wipe) begin
				state <= WIPE;
				clocks <= 32'd0;
				timed_out <= busy;
			end
			endcase
		end
	end
endmodule

`default_nettype wire
