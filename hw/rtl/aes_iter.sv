// SPDX-License-Identifier: Apache-2.0
// AES encryption of one block at a time, a round per clock, for key installation alone (H = AES(key, 0)): small, and
// out of the packets' way. done for one clock, 15 after start, with out.
`default_nettype none

module aes_iter (
	input  wire         clk,
	input  wire         rst,
	input  wire         start,
	input  wire [127:0] block,
	input  wire [255:0] key,
	input  wire         k256,
	output reg          done,
	output wire [127:0] out
);
	reg [127:0] state;
	reg [255:0] schedule;
	reg         wide, busy;
	reg [3:0]   round;
	reg [7:0]   rcon;

	wire [127:0] state_next;
	wire [255:0] key_next;
	wire steps = !wide || !round[0]; // AES-256 uses a round constant in every other round
	aes_round core (
		.state      (state),
		.key        (schedule),
		.k256       (wide),
		.white      (round == 4'd0),
		.last       (round == (wide ? 4'd14 : 4'd10)),
		.skip       (!wide && round > 4'd10),
		.rotate     (steps),
		.rcon       (steps ? rcon : 8'h00),
		.state_next (state_next),
		.key_next   (key_next)
	);
	assign out = state;

	always @(posedge clk) begin
		done <= 1'b0;
		if (rst) begin
			busy <= 1'b0;
			state <= 128'h0;
			schedule <= 256'h0;
		end else if (start) begin
			busy <= 1'b1;
			state <= block;
			schedule <= key;
			wide <= k256;
			round <= 4'd0;
			rcon <= 8'h01;
		end else if (busy) begin
			state <= state_next;
			schedule <= round == 4'd14 ? 256'h0 : key_next; // nothing of the key stays
			round <= round + 4'd1;
			if (steps)
				rcon <= {rcon[6:0], 1'b0} ^ (rcon[7] ? 8'h1b : 8'h00);
			if (round == 4'd14) begin
				busy <= 1'b0;
				done <= 1'b1;
			end
		end else begin
			state <= 128'h0; // nor H
		end
	end
endmodule

`default_nettype wire
