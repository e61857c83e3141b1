// SPDX-License-Identifier: Apache-2.0
// SHA-1's compression function a round per clock: for key installation, and instead of sha1_pipe on small devices.
// ready: takes a block. out_valid for one clock, 81 after the block, with the new chaining value and the id.
`default_nettype none

module sha1_iter #(
	parameter integer ID_BITS = 8
) (
	input  wire               clk,
	input  wire               rst,
	output wire               ready,
	input  wire               valid,
	input  wire [ID_BITS-1:0] id,
	input  wire [159:0]       state,
	input  wire [511:0]       block,
	output reg                out_valid,
	output reg  [ID_BITS-1:0] out_id,
	output reg  [159:0]       out_state
);
	reg [159:0] s, chain;
	reg [511:0] window;
	reg [4:0]   left;     // rounds left in this part, less one
	reg [1:0]   part;
	reg         busy, adding;

	wire [31:0] f, k;
	sha1_round core (
		.part (part), .b (s[127:96]), .c (s[95:64]), .d (s[63:32]), .f (f), .k (k)
	);
	wire [31:0] sum = window[95:64] ^ window[255:224] ^ window[447:416] ^ window[511:480];

	assign ready = !busy && !adding;

	always @(posedge clk) begin
		out_valid <= 1'b0;
		out_state <= 160'h0; // nothing that comes of a key stays
		if (rst) begin
			busy <= 1'b0;
			adding <= 1'b0;
			window <= 512'h0;
			s <= 160'h0;
			chain <= 160'h0;
		end else if (adding) begin
			adding <= 1'b0;
			out_valid <= 1'b1;
			out_state <= {s[159:128] + chain[159:128], s[127:96] + chain[127:96], s[95:64] + chain[95:64],
				s[63:32] + chain[63:32], s[31:0] + chain[31:0]};
			window <= 512'h0;
			s <= 160'h0;
			chain <= 160'h0;
		end else if (busy) begin
			s <= {{s[154:128], s[159:155]} + f + s[31:0] + k + window[511:480], s[159:128], s[97:96], s[127:98], s[95:64], s[63:32]};
			window <= {window[479:0], sum[30:0], sum[31]};
			left <= left == 5'd0 ? 5'd19 : left - 5'd1;
			if (left == 5'd0) begin
				part <= part + 2'd1;
				busy <= part != 2'd3;
				adding <= part == 2'd3;
			end
		end else if (valid) begin
			busy <= 1'b1;
			part <= 2'd0;
			left <= 5'd19;
			s <= state;
			chain <= state;
			window <= block;
			out_id <= id;
		end
	end
endmodule

`default_nettype wire
