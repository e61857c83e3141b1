// SPDX-License-Identifier: Apache-2.0
// OCTETS wide, 2^LOG2 rows, an enable per octet when writing, read a clock later: the shape that block RAM has.
`default_nettype none

module byte_ram #(
	parameter integer OCTETS = 64,
	parameter integer LOG2 = 8
) (
	input  wire                clk,
	input  wire                we,
	input  wire [LOG2-1:0]     waddr,
	input  wire [8*OCTETS-1:0] wdata,
	input  wire [OCTETS-1:0]   wbe,
	input  wire                hold,
	input  wire [LOG2-1:0]     raddr,
	output reg  [8*OCTETS-1:0] rdata
);
	reg [8*OCTETS-1:0] mem [0:(1 << LOG2)-1];

	integer i;
	always @(posedge clk) begin
		if (we)
			for (i = 0; i < OCTETS; i = i + 1)
				if (wbe[i])
					mem[waddr][8*i +: 8] <= wdata[8*i +: 8];
		if (!hold)
			rdata <= mem[raddr];
	end
endmodule

`default_nettype wire
