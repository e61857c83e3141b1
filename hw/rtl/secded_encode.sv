// SPDX-License-Identifier: Apache-2.0
// The 8 check bits of a 64-bit word: single errors corrected, double errors detected (Hsiao). 0 has check bits 0.
// Check bit k is the parity of the data bits in its mask; the masks are the check matrix's rows (secded_decode has its
// columns).
`default_nettype none

module secded_encode (
	input  wire [63:0] data,
	output wire [7:0]  check
);
	assign check = {
		^(data & 64'h00fffff800000000),
		^(data & 64'hc0fc0007fff00000),
		^(data & 64'h3e83e007c00ffc00),
		^(data & 64'hbd421e043c0f03f0),
		^(data & 64'h7b2111c22388e38e),
		^(data & 64'hf710893112649a6d),
		^(data & 64'hef0844a88952555b),
		^(data & 64'hdf04225844b12cb7)
	};
endmodule

`default_nettype wire
