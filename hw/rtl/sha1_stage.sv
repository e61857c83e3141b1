// SPDX-License-Identifier: Apache-2.0
// One SHA-1 round as a pipeline stage with one carry chain between registers. A round adds five numbers, but only
// rotl5(a) is news of the round before it: b, c, d and e are older. So the others are added ahead, two of them two
// rounds ahead (early = e + k + w of the next round), then f with them (sum = f + e + k + w of this one); d and e
// themselves are not needed any more. The message window moves along: bits 511:480 are this round's word.
`default_nettype none

module sha1_stage #(
	parameter integer ROUND = 0
) (
	input  wire         clk,
	input  wire [95:0]  state,  // a b c
	input  wire [31:0]  sum,
	input  wire [31:0]  early,
	input  wire [511:0] window,
	output reg  [95:0]  state_q,
	output reg  [31:0]  sum_q,
	output reg  [31:0]  early_q,
	output reg  [511:0] window_q
);
	function [1:0] part_of(input integer round);
		part_of = round < 20 ? 2'd0 : round < 40 ? 2'd1 : round < 60 ? 2'd2 : 2'd3;
	endfunction

	wire [31:0] a = state[95:64];
	wire [31:0] b = {state[33:32], state[63:34]}; // the next round's c
	wire [31:0] c = state[31:0];

	wire [31:0] f, k, unused_f, unused_k;
	sha1_round next (.part (part_of(ROUND + 1)), .b (a), .c (b), .d (c), .f (f), .k (unused_k));
	sha1_round after (.part (part_of(ROUND + 2)), .b (a), .c (b), .d (c), .f (unused_f), .k (k));

	// Word 16 = rotl1(w13 ^ w8 ^ w2 ^ w0).
	wire [31:0] word = window[95:64] ^ window[255:224] ^ window[447:416] ^ window[511:480];

	always @(posedge clk) begin
		state_q  <= {{state[90:64], state[95:91]} + sum, a, b};
		sum_q    <= early + f;
		early_q  <= c + window[447:416] + k;
		window_q <= {window[479:0], word[30:0], word[31]};
	end

	wire unused = ^{unused_f, unused_k};

	initial begin
		if (ROUND < 0 || ROUND > 79) $fatal(1, "sha1_stage: ROUND must be 0 to 79");
	end
endmodule

`default_nettype wire
