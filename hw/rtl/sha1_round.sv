// SPDX-License-Identifier: Apache-2.0
// What one SHA-1 round needs besides additions (FIPS 180-4, sections 4.1.1 and 4.2.1), without a register: its function
// of b, c and d, and its constant. part names the four groups of 20 rounds.
`default_nettype none

module sha1_round (
	input  wire [1:0]  part,
	input  wire [31:0] b,
	input  wire [31:0] c,
	input  wire [31:0] d,
	output reg  [31:0] f,
	output reg  [31:0] k
);
	always @* begin
		case (part)
		2'd0:    begin f = (b & c) | (~b & d);            k = 32'h5a827999; end
		2'd1:    begin f = b ^ c ^ d;                     k = 32'h6ed9eba1; end
		2'd2:    begin f = (b & c) | (b & d) | (c & d);   k = 32'h8f1bbcdc; end
		default: begin f = b ^ c ^ d;                     k = 32'hca62c1d6; end
		endcase
	end
endmodule

`default_nettype wire
