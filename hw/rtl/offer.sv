// SPDX-License-Identifier: Apache-2.0
// Which of several sources has the bus: the first of those that ask, but one that was offered and not taken stays
// in front, whoever comes meanwhile. So an offer on the bus does not change until it is taken, if its source keeps it.
`default_nettype none

module offer #(
	parameter integer SOURCES = 2
) (
	input  wire               clk,
	input  wire               rst,    // withdraws what is offered
	input  wire [SOURCES-1:0] ask,    // lowest first
	output wire [SOURCES-1:0] offered,
	input  wire               taken   // the bus takes what is offered
);
	reg [SOURCES-1:0] waits;
	wire [SOURCES-1:0] first = ask & (~ask + 1'b1);

	assign offered = (waits & ask) != {SOURCES{1'b0}} ? waits : first;

	always @(posedge clk)
		waits <= rst || taken ? {SOURCES{1'b0}} : offered;
endmodule

`default_nettype wire
