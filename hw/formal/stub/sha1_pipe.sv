// SPDX-License-Identifier: Apache-2.0
// In the place of the SHA-1 pipe: as many packets as it is long, but it is short, and its results are any.
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
	output wire [159:0]       out_state
);
	(* anyseq *) wire [159:0] any;
	reg valid1;
	reg [ID_BITS-1:0] id1;
	assign out_state = any;
	always @(posedge clk) begin
		{out_valid, valid1} <= rst ? 2'b00 : {valid1, valid};
		{out_id, id1} <= {id1, id};
	end
	wire unused = ^{state, block};
endmodule

`default_nettype wire
