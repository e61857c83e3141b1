// SPDX-License-Identifier: Apache-2.0
// sha1_pipe with its work done by the simulating machine: the same ports, the same 83 clocks.
`default_nettype none

module sha1_pipe #(
	parameter integer ID_BITS = 8
) (
	input  wire               clk,
	input  wire               rst,
	input  wire               valid,
	input  wire [ID_BITS-1:0] id,
	input  wire [159:0]       state,
	input  wire [511:0]       block,
	output reg                out_valid,
	output reg  [ID_BITS-1:0] out_id,
	output reg  [159:0]       out_state
);
	import "DPI-C" function void sim_sha1(input bit [159:0] state, input bit [511:0] block, output bit [159:0] out);

	localparam integer DEPTH = 82;
	localparam integer LAST_I = DEPTH - 1;
	localparam integer BITS = $clog2(DEPTH);
	bit [160+ID_BITS:0] line [0:DEPTH-1];
	bit [BITS-1:0] at = {BITS{1'b0}};
	bit [159:0] result;
	always @(posedge clk) begin
		{out_valid, out_id, out_state} <= rst ? {1'b0, line[at][159+ID_BITS:0]} : line[at];
		if (valid && !rst) begin
			sim_sha1(state, block, result);
			line[at] <= {1'b1, id, result};
		end else
			line[at][160+ID_BITS] <= 1'b0;
		at <= at == LAST_I[BITS-1:0] ? {BITS{1'b0}} : at + 1'b1;
	end
endmodule

`default_nettype wire
