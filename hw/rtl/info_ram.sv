// SPDX-License-Identifier: Apache-2.0
// A small memory with one write port and one read port whose answer comes a clock later. `hold` keeps the answer.
// With wipe every clock clears the word at wipe_at.
`default_nettype none

module info_ram #(
	parameter integer WIDTH = 8,
	parameter integer LOG2 = 4
) (
	input  wire             clk,
	input  wire             we,
	input  wire [LOG2-1:0]  waddr,
	input  wire [WIDTH-1:0] wdata,
	input  wire             hold,
	input  wire [LOG2-1:0]  raddr,
	output reg  [WIDTH-1:0] rdata,
	input  wire             wipe,
	input  wire [LOG2-1:0]  wipe_at
);
	reg [WIDTH-1:0] mem [0:(1 << LOG2)-1];

	always @(posedge clk) begin
		if (we || wipe)
			mem[wipe ? wipe_at : waddr] <= wipe ? {WIDTH{1'b0}} : wdata;
		if (!hold)
			rdata <= mem[raddr];
	end
endmodule

`default_nettype wire
