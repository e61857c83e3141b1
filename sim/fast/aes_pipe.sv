// SPDX-License-Identifier: Apache-2.0
// aes_pipe with its work done by the simulating machine: the same ports, the same 15 clocks.
`default_nettype none

module aes_pipe (
	input  wire         clk,
	input  wire [127:0] block,
	input  wire [255:0] key,
	input  wire         k256,
	output reg  [127:0] out
);
	import "DPI-C" function int sim_aes_new();
	import "DPI-C" function void sim_aes(input int instance_number, input bit [127:0] block, input bit [255:0] key,
		input bit k256, output bit [127:0] out);

	int me;
	initial me = sim_aes_new();

	bit [127:0] line [0:13];
	bit [127:0] result;
	bit [3:0] at = 4'd0;
	always @(posedge clk) begin
		sim_aes(me, block, key, k256, result);
		out <= line[at];
		line[at] <= result;
		at <= at == 4'd13 ? 4'd0 : at + 4'd1;
	end
endmodule

`default_nettype wire
