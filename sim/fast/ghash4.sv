// SPDX-License-Identifier: Apache-2.0
// ghash4 with its work done by the simulating machine: the same ports, the same 4 clocks.
`default_nettype none

module ghash4 (
	input  wire         clk,
	input  wire         rst,
	input  wire         valid,
	input  wire         first,
	input  wire [127:0] x,
	input  wire [127:0] h,
	output wire [127:0] y
);
	import "DPI-C" function void sim_ghash(input bit [127:0] x, input bit [127:0] h, output bit [127:0] y);

	bit [127:0] sums [0:3];
	bit [1:0] at = 2'd0; // whose clock it is
	bit [127:0] sum;
	assign y = sums[at];
	always @(posedge clk) begin
		if (rst)
			sums[at] <= 128'h0;
		else if (valid) begin
			sim_ghash((first ? 128'h0 : sums[at]) ^ x, h, sum);
			sums[at] <= sum;
		end
		at <= at + 2'd1;
	end
endmodule

`default_nettype wire
