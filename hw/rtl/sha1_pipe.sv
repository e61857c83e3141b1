// SPDX-License-Identifier: Apache-2.0
// SHA-1's compression function unrolled: one 64-octet block per clock from as many packets as it is long, out after
// LATENCY clocks with the new chaining value. It never stops. id travels along and comes out with the result.
//
// block: octet 0 in bits 511:504. SPLIT: two registers per round (see sha1_stage).
`default_nettype none

module sha1_pipe #(
	parameter integer ID_BITS = 8,
	parameter integer SPLIT = 0
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
	localparam integer ROUNDS = 80 * (1 + SPLIT); // clocks; the final addition is one more: LATENCY = ROUNDS + 1

	wire [159:0] s [0:80];
	wire [511:0] w [0:80];
	assign s[0] = state;
	assign w[0] = block;

	genvar i;
	generate
		for (i = 0; i < 80; i = i + 1) begin : round
			sha1_stage #(.ROUND (i), .SPLIT (SPLIT)) stage (
				.clk      (clk),
				.state    (s[i]),
				.window   (w[i]),
				.state_q  (s[i + 1]),
				.window_q (w[i + 1])
			);
		end
	endgenerate

	// What waits for the rounds: the chaining value that is added at the end, and the id.
	wire [159:0]       chain;
	wire [ID_BITS-1:0] id_done;
	delay_line #(.WIDTH (160 + ID_BITS), .LENGTH (ROUNDS)) waiting (
		.clk (clk), .rst (rst), .in ({id, state}), .out ({id_done, chain})
	);

	reg [ROUNDS-1:0] busy;
	always @(posedge clk) begin
		busy      <= rst ? {ROUNDS{1'b0}} : {busy[ROUNDS-2:0], valid};
		out_valid <= !rst && busy[ROUNDS-1];
		out_id    <= id_done;
		out_state <= {s[80][159:128] + chain[159:128], s[80][127:96] + chain[127:96],
			s[80][95:64] + chain[95:64], s[80][63:32] + chain[63:32], s[80][31:0] + chain[31:0]};
	end

	// The window of the last round is of no use to anybody.
	wire unused_window = ^w[80];
	wire unused = unused_window;
endmodule

`default_nettype wire
