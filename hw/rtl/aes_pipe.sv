// SPDX-License-Identifier: Apache-2.0
// AES encryption, one block per clock, another key at every clock if need be; 15 clocks from input to output for
// both key sizes. It never stops: who feeds it keeps what belongs to a block in a delay of the same length.
//
// key: AES-256 all 256 bits; AES-128 in the upper 128 (the lower are ignored).
`default_nettype none

module aes_pipe (
	input  wire         clk,
	input  wire [127:0] block,
	input  wire [255:0] key,
	input  wire         k256,
	output wire [127:0] out
);
	wire [127:0] state [0:15];
	wire [255:0] keys [0:15];
	wire         wide [0:15];

	assign state[0] = block;
	assign keys[0]  = key;
	assign wide[0]  = k256;

	genvar i;
	generate
		for (i = 0; i < 15; i = i + 1) begin : stage
			aes_stage #(.ROUND (i)) aes (
				.clk     (clk),
				.state   (state[i]),
				.key     (keys[i]),
				.k256    (wide[i]),
				.state_q (state[i + 1]),
				.key_q   (keys[i + 1]),
				.k256_q  (wide[i + 1])
			);
		end
	endgenerate

	assign out = state[15];
endmodule

`default_nettype wire
