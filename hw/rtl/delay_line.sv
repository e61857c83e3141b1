// SPDX-License-Identifier: Apache-2.0
// WIDTH bits, LENGTH clocks later, as a circular memory (one LUTRAM, and in simulation one word moved per clock,
// where a chain of registers would move them all). Before LENGTH clocks have passed the output is what the memory
// held: who uses it carries a valid bit in registers of its own. It runs on in a reset, which so clears it.
`default_nettype none

module delay_line #(
	parameter integer WIDTH = 1,
	parameter integer LENGTH = 2
) (
	input  wire             clk,
	input  wire [WIDTH-1:0] in,
	output reg  [WIDTH-1:0] out
);
	localparam integer DEPTH = LENGTH - 1; // the output register is the last clock
	localparam integer BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
	localparam integer LAST_I = DEPTH - 1;
	localparam [BITS-1:0] LAST = LAST_I[BITS-1:0];

	reg [WIDTH-1:0] line [0:DEPTH-1];
	reg [BITS-1:0]  at;

	always @(posedge clk) begin
		if (at == LAST)
			at <= {BITS{1'b0}};
		else
			at <= at + 1'b1;
		line[at] <= in;
		out <= line[at];
	end

	initial begin
		at = {BITS{1'b0}};
		if (LENGTH < 2) $fatal(1, "delay_line: LENGTH must be 2 or more");
	end
endmodule

`default_nettype wire
