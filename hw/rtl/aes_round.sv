// SPDX-License-Identifier: Apache-2.0
// One AES round and the key schedule's step beside it, without a register (FIPS 197, sections 5.1 and 5.2).
//
// The schedule runs one step ahead of the data: `key` holds the key of this round in its upper half, and for
// AES-256 the next round's in its lower half. AES-128 needs only the upper half: the new key is made from
// itself, where AES-256 makes it from the two halves. That is the whole difference, so that packets of either
// size may follow each other at every clock.
//
// Octet 0 of a block is bits 127:120.
`default_nettype none

module aes_round (
	input  wire [127:0] state,
	input  wire [255:0] key,
	input  wire         k256,
	input  wire         white,     // before round 1: add the key, nothing else
	input  wire         last,      // the last round: no MixColumns
	input  wire         skip,      // AES-128 is done already: state passes
	input  wire         rotate,    // schedule: RotWord before SubWord
	input  wire [7:0]   rcon,
	output wire [127:0] state_next,
	output wire [255:0] key_next
);
	function [31:0] mix_column(input [31:0] c);
		reg [31:0] x; // each octet times 2
		integer i;
		begin
			for (i = 0; i < 4; i = i + 1)
				x[8*i +: 8] = {c[8*i +: 7], 1'b0} ^ (c[8*i + 7] ? 8'h1b : 8'h00);
			mix_column = x ^ {c[23:0], c[31:24]} ^ {x[23:0], x[31:24]} ^ {c[15:0], c[31:16]} ^ {c[7:0], c[31:8]};
		end
	endfunction

	// Data: SubBytes and ShiftRows in one: column c, row r comes from column c + r.
	wire [127:0] shifted, mixed;
	genvar c, r;
	generate
		for (c = 0; c < 4; c = c + 1) begin : column
			for (r = 0; r < 4; r = r + 1) begin : row
				aes_sbox sbox (
					.x (state[127 - 8 * (4 * ((c + r) % 4) + r) -: 8]),
					.y (shifted[127 - 8 * (4 * c + r) -: 8])
				);
			end
			assign mixed[127 - 32 * c -: 32] = mix_column(shifted[127 - 32 * c -: 32]);
		end
	endgenerate

	wire [127:0] linear = white || skip ? state : last ? shifted : mixed;
	assign state_next = skip ? state : linear ^ key[255:128];

	// Schedule.
	wire [31:0] newest = k256 ? key[31:0] : key[159:128];
	wire [31:0] turned = rotate ? {newest[23:0], newest[31:24]} : newest;
	wire [31:0] subbed;
	generate
		for (c = 0; c < 4; c = c + 1) begin : word
			aes_sbox sbox (.x (turned[8*c +: 8]), .y (subbed[8*c +: 8]));
		end
	endgenerate

	wire [31:0] w0 = key[255:224] ^ subbed ^ {rcon, 24'h0};
	wire [31:0] w1 = key[223:192] ^ w0;
	wire [31:0] w2 = key[191:160] ^ w1;
	wire [31:0] w3 = key[159:128] ^ w2;
	assign key_next = {k256 ? key[127:0] : {w0, w1, w2, w3}, w0, w1, w2, w3};
endmodule

`default_nettype wire
