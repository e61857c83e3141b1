// SPDX-License-Identifier: Apache-2.0
// One register stage of the AES pipeline: round ROUND of data and the schedule's step after it. ROUND 0 adds the
// first key. Both key sizes, mixed from clock to clock; AES-128 is done after round 10 and rests in stages 11-14.
`default_nettype none

module aes_stage #(
	parameter integer ROUND = 1
) (
	input  wire         clk,
	input  wire [127:0] state,
	input  wire [255:0] key,
	input  wire         k256,
	output reg  [127:0] state_q,
	output reg  [255:0] key_q,
	output reg          k256_q
);
	// x^(i-1) in GF(2^8): the schedule's round constant i, 1 to 10.
	function [7:0] round_constant(input integer i);
		case (i)
		1: round_constant = 8'h01;
		2: round_constant = 8'h02;
		3: round_constant = 8'h04;
		4: round_constant = 8'h08;
		5: round_constant = 8'h10;
		6: round_constant = 8'h20;
		7: round_constant = 8'h40;
		8: round_constant = 8'h80;
		9: round_constant = 8'h1b;
		10: round_constant = 8'h36;
		default: round_constant = 8'h00;
		endcase
	endfunction

	localparam [7:0] RCON_128 = round_constant(ROUND + 1);
	localparam [7:0] RCON_256 = ROUND % 2 == 0 ? round_constant(ROUND / 2 + 1) : 8'h00;

	wire [127:0] state_next;
	wire [255:0] key_next;

	aes_round round (
		.state      (state),
		.key        (key),
		.k256       (k256),
		.white      (ROUND == 0),
		.last       (k256 ? ROUND == 14 : ROUND == 10),
		.skip       (!k256 && ROUND > 10),
		.rotate     (!k256 || ROUND % 2 == 0),
		.rcon       (k256 ? RCON_256 : RCON_128),
		.state_next (state_next),
		.key_next   (key_next)
	);

	always @(posedge clk) begin
		state_q <= state_next;
		key_q   <= key_next;
		k256_q  <= k256;
	end

	initial begin
		if (ROUND < 0 || ROUND > 14) $fatal(1, "aes_stage: ROUND must be 0 to 14");
	end
endmodule

`default_nettype wire
