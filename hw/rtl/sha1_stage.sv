// SPDX-License-Identifier: Apache-2.0
// One SHA-1 round as a pipeline stage. SPLIT 0: one register; SPLIT 1: two, for the same clock with routing on a
// large device. The message window moves along: bits 511:480 are this round's word.
`default_nettype none

module sha1_stage #(
	parameter integer ROUND = 0,
	parameter integer SPLIT = 0
) (
	input  wire         clk,
	input  wire [159:0] state,  // a b c d e
	input  wire [511:0] window,
	output wire [159:0] state_q,
	output wire [511:0] window_q
);
	localparam [1:0] PART = ROUND < 20 ? 2'd0 : ROUND < 40 ? 2'd1 : ROUND < 60 ? 2'd2 : 2'd3;

	wire [31:0] f, ekw;
	sha1_round round (
		.part (PART),
		.b    (state[127:96]),
		.c    (state[95:64]),
		.d    (state[63:32]),
		.e    (state[31:0]),
		.w    (window[511:480]),
		.f    (f),
		.ekw  (ekw)
	);

	// Word 16 = rotl1(w13 ^ w8 ^ w2 ^ w0).
	wire [31:0] sum = window[95:64] ^ window[255:224] ^ window[447:416] ^ window[511:480];
	wire [511:0] window_next = {window[479:0], sum[30:0], sum[31]};

	generate
		if (SPLIT == 0) begin : one
			reg [159:0] s;
			reg [511:0] w;
			always @(posedge clk) begin
				s <= {{state[154:128], state[159:155]} + f + ekw, state[159:128],
					state[97:96], state[127:98], state[95:64], state[63:32]};
				w <= window_next;
			end
			assign state_q = s;
			assign window_q = w;
		end else begin : two
			reg [127:0] abcd;
			reg [31:0] f_q, ekw_q;
			reg [511:0] w1, w2;
			reg [159:0] s;
			always @(posedge clk) begin
				abcd  <= state[159:32];
				f_q   <= f;
				ekw_q <= ekw;
				w1    <= window_next;
				s     <= {{abcd[122:96], abcd[127:123]} + f_q + ekw_q, abcd[127:96],
					abcd[65:64], abcd[95:66], abcd[63:32], abcd[31:0]};
				w2    <= w1;
			end
			assign state_q = s;
			assign window_q = w2;
		end
	endgenerate

	initial begin
		if (ROUND < 0 || ROUND > 79) $fatal(1, "sha1_stage: ROUND must be 0 to 79");
		if (SPLIT < 0 || SPLIT > 1) $fatal(1, "sha1_stage: SPLIT must be 0 or 1");
	end
endmodule

`default_nettype wire
