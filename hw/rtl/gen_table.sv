// SPDX-License-Identifier: Apache-2.0
// Generation and validity of each context: what ctx_admin steps and packet_out asks again, just before a packet
// leaves, so that an operation that began before a wipe ends ABORTED. Answers come a clock later.
`default_nettype none

module gen_table #(
	parameter integer CTX_BITS = 8
) (
	input  wire                clk,
	input  wire                we,
	input  wire [CTX_BITS-1:0] waddr,
	input  wire                wvalid,
	input  wire [15:0]         wgen,
	input  wire [CTX_BITS-1:0] admin_addr,
	output wire                admin_valid,
	output wire [15:0]         admin_gen,
	input  wire                out_hold,
	input  wire [CTX_BITS-1:0] out_addr,
	output wire                out_valid,
	output wire [15:0]         out_gen,
	input  wire                wipe,
	input  wire [CTX_BITS-1:0] wipe_at
);
	info_ram #(.WIDTH (17), .LOG2 (CTX_BITS)) for_admin (
		.clk (clk), .we (we), .waddr (waddr), .wdata ({wvalid, wgen}), .hold (1'b0),
		.raddr (admin_addr), .rdata ({admin_valid, admin_gen}), .wipe (wipe), .wipe_at (wipe_at)
	);
	info_ram #(.WIDTH (17), .LOG2 (CTX_BITS)) for_out (
		.clk (clk), .we (we), .waddr (waddr), .wdata ({wvalid, wgen}), .hold (out_hold),
		.raddr (out_addr), .rdata ({out_valid, out_gen}), .wipe (wipe), .wipe_at (wipe_at)
	);
endmodule

`default_nettype wire
