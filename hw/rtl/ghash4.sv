// SPDX-License-Identifier: Apache-2.0
// GHASH of four packets at once on one multiplier: clocks belong to the packets in turn, and a packet's next block
// comes 4 clocks (or a multiple) after its last, just when the product is there. So only H is needed, no powers of
// it, and the multiplier is never idle while four packets are there.
//
// y is the sum after the block that went in 4 clocks earlier. A clock without valid keeps its packet's sum.
`default_nettype none

module ghash4 (
	input  wire         clk,
	input  wire         rst,    // 4 clocks: the sums are cleared
	input  wire         valid,
	input  wire         first,  // the packet's first block: start from 0
	input  wire [127:0] x,
	input  wire [127:0] h,
	output wire [127:0] y
);
	wire [127:0] product;
	reg [3:0] fresh;            // which of the multiplier's stages hold a product
	reg [127:0] keep [0:3];     // the sums of packets that had no block in their clock

	assign y = fresh[3] ? product : keep[3];

	ghash_mul mul (.clk (clk), .x ((first ? 128'h0 : y) ^ x), .h (h), .p (product));

	always @(posedge clk) begin
		fresh   <= rst ? 4'h0 : {fresh[2:0], valid};
		keep[0] <= rst ? 128'h0 : y;
		keep[1] <= keep[0];
		keep[2] <= keep[1];
		keep[3] <= keep[2];
	end
endmodule

`default_nettype wire
