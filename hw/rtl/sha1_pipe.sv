// SPDX-License-Identifier: Apache-2.0
// SHA-1's compression function unrolled: one 64-octet block per clock from as many packets as it is long, out after
// 83 clocks with the new chaining value. It never stops. id travels along and comes out with the result.
//
// block: octet 0 in bits 511:504. Clocks: two that add ahead what rounds 0 and 1 need (sha1_stage), 80 rounds, the
// final addition.
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
	localparam integer ROUNDS = 82; // clocks before the final addition

	wire [95:0]  abc [0:80];
	wire [31:0]  sum [0:80];
	wire [31:0]  early [0:80];
	wire [511:0] w [0:80];

	// Ahead of round 0: e + k + w; then f with it, and round 1's d + k + w.
	reg [127:0] s0;
	reg [95:0]  s1;
	reg [31:0]  early0, early1, sum1;
	reg [511:0] w0, w1;
	wire [31:0] f, k;
	sha1_round first (.part (2'd0), .b (s0[95:64]), .c (s0[63:32]), .d (s0[31:0]), .f (f), .k (k));
	always @(posedge clk) begin
		s0     <= state[159:32];
		w0     <= block;
		early0 <= state[31:0] + block[511:480] + k;
		s1     <= s0[127:32];
		w1     <= w0;
		sum1   <= early0 + f;
		early1 <= s0[31:0] + w0[479:448] + k;
	end
	assign abc[0]   = s1;
	assign sum[0]   = sum1;
	assign early[0] = early1;
	assign w[0]     = w1;

	genvar i;
	generate
		for (i = 0; i < 80; i = i + 1) begin : round
			sha1_stage #(.ROUND (i)) stage (
				.clk      (clk),
				.state    (abc[i]),
				.sum      (sum[i]),
				.early    (early[i]),
				.window   (w[i]),
				.state_q  (abc[i + 1]),
				.sum_q    (sum[i + 1]),
				.early_q  (early[i + 1]),
				.window_q (w[i + 1])
			);
		end
	endgenerate

	// Behind round 79: d is c of a round before, e of two.
	reg [31:0] d, e_next, e;
	always @(posedge clk) begin
		d      <= abc[79][31:0];
		e_next <= abc[78][31:0];
		e      <= e_next;
	end

	// What waits for the rounds: the chaining value that is added at the end, and the id.
	wire [159:0]       chain;
	wire [ID_BITS-1:0] id_done;
	delay_line #(.WIDTH (160 + ID_BITS), .LENGTH (ROUNDS)) waiting (
		.clk (clk), .in ({id, state}), .out ({id_done, chain})
	);

	reg [ROUNDS-1:0] busy;
	always @(posedge clk) begin
		busy      <= rst ? {ROUNDS{1'b0}} : {busy[ROUNDS-2:0], valid};
		out_valid <= !rst && busy[ROUNDS-1];
		out_id    <= id_done;
		out_state <= {abc[80][95:64] + chain[159:128], abc[80][63:32] + chain[127:96], abc[80][31:0] + chain[95:64],
			d + chain[63:32], e + chain[31:0]};
	end

	// What the last round would hand on is of no use to anybody.
	wire unused = ^{w[80], sum[80], early[80]};
endmodule

`default_nettype wire
