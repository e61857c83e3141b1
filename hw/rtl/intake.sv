// SPDX-License-Identifier: Apache-2.0
// Turns a descriptor into an operation: checks what can be checked without a key, gives it a slot, and starts it: a
// packet by reading it from the host, an installation or a wipe by handing it to ctx_admin, anything else by ending
// it. What the later stages need to know of it goes out once, with `start`, for each to keep under the slot's number.
`default_nettype none

module intake #(
	parameter integer CTX_BITS = 8,
	parameter integer QUEUE_BITS = 2
) (
	input  wire                  clk,
	input  wire                  rst,
	output wire                  busy,
	// descriptors
	input  wire                  desc_valid,
	output wire                  desc_ready,
	input  wire [QUEUE_BITS-1:0] desc_queue,
	input  wire [15:0]           desc_index,
	input  wire                  desc_err,
	input  wire [255:0]          desc,
	// is a slot free? it is taken with start
	input  wire                  slot_available,
	// the operation, valid while start
	output wire                  start,
	output reg  [QUEUE_BITS-1:0] op_queue,
	output reg  [15:0]           op_desc,      // descriptor index
	output reg  [31:0]           op_ctx,
	output reg  [15:0]           op_gen,
	output wire                  op_rtcp,
	output wire                  op_unprotect,
	output reg  [7:0]            op_arg,       // packets: tag octets. KEY_INSTALL: algorithm
	output reg  [63:0]           op_src,
	output reg  [63:0]           op_dst,
	output reg  [11:0]           op_len,
	output reg  [11:0]           op_aad,       // octets not ciphered; all of them for RTCP with E = 0
	output reg  [31:0]           op_rollover,  // RTP: ROC. RTCP: E flag and index
	output wire                  start_packet,
	output wire                  start_admin,
	output wire                  op_wipe,
	// packet reads
	output wire                  read_valid,
	input  wire                  read_ready,
	output wire [5:0]            read_beats,
	// ctx_admin, and operations that end here
	output wire                  admin_valid,
	input  wire                  admin_ready,
	output wire                  end_valid,
	input  wire                  end_ready,
	output reg  [3:0]            end_status
);
	localparam [11:0] LEN_MAX = 12'd2048;

	wire [7:0]  d_op  = desc[srtpdev::DESC_OP_LSB +: srtpdev::DESC_OP_BITS];
	wire [7:0]  d_arg = desc[srtpdev::DESC_ARG_LSB +: srtpdev::DESC_ARG_BITS];
	wire [15:0] d_len = desc[srtpdev::DESC_LEN_LSB +: srtpdev::DESC_LEN_BITS];
	wire [15:0] d_aad = desc[srtpdev::DESC_AAD_LSB +: srtpdev::DESC_AAD_BITS];
	wire [31:0] d_ctx = desc[srtpdev::DESC_CTX_LSB +: srtpdev::DESC_CTX_BITS];
	wire [31:0] d_rollover = desc[srtpdev::DESC_INDEX_LSB +: srtpdev::DESC_INDEX_BITS];
	wire [63:0] d_src = desc[srtpdev::DESC_SRC_LSB +: srtpdev::DESC_SRC_BITS];

	wire d_rtcp   = d_op == srtpdev::OP_RTCP_PROTECT || d_op == srtpdev::OP_RTCP_UNPROTECT;
	wire d_packet = d_rtcp || d_op == srtpdev::OP_RTP_PROTECT || d_op == srtpdev::OP_RTP_UNPROTECT;
	wire d_admin  = d_op == srtpdev::OP_KEY_INSTALL || d_op == srtpdev::OP_SLOT_WIPE;
	wire [15:0] d_min = d_rtcp ? 16'd8 : 16'd12; // fixed header: RTCP up to its SSRC, RTP
	wire d_len_bad = d_len > {4'h0, LEN_MAX} || d_aad > d_len || d_aad < d_min || d_arg > 8'd16;
	wire d_ctx_bad = |d_ctx[31:CTX_BITS];

	reg       valid, packet, admin;
	reg [7:0] op;

	assign op_rtcp      = op == srtpdev::OP_RTCP_PROTECT || op == srtpdev::OP_RTCP_UNPROTECT;
	assign op_unprotect = op == srtpdev::OP_RTP_UNPROTECT || op == srtpdev::OP_RTCP_UNPROTECT;
	assign op_wipe      = op == srtpdev::OP_SLOT_WIPE;

	wire ready = packet ? read_ready : admin ? admin_ready : end_ready;
	wire go    = valid && slot_available;
	assign start        = go && ready;
	assign start_packet = start && packet;
	assign start_admin  = start && admin;
	assign read_valid   = go && packet;
	assign admin_valid  = go && admin;
	assign end_valid    = go && !packet && !admin;
	assign desc_ready   = !valid || start;
	assign busy         = valid;

	// Beats that the packet, and the tag behind it, lie in.
	wire [12:0] read_end = {7'h0, op_src[5:0]} + {1'b0, op_len} + (op_unprotect ? {8'h0, op_arg[4:0]} : 13'd0) + 13'd63;
	assign read_beats = read_end[11:6];

	always @(posedge clk) begin
		if (rst)
			valid <= 1'b0;
		else if (desc_ready)
			valid <= desc_valid;
		if (desc_ready) begin
			op_queue    <= desc_queue;
			op_desc     <= desc_index;
			op          <= d_op;
			op_arg      <= d_arg;
			op_ctx      <= d_ctx;
			op_gen      <= desc[srtpdev::DESC_GEN_LSB +: srtpdev::DESC_GEN_BITS];
			op_src      <= d_src;
			op_dst      <= desc[srtpdev::DESC_DST_LSB +: srtpdev::DESC_DST_BITS];
			op_len      <= d_len[11:0];
			op_aad      <= d_rtcp && !d_rollover[31] ? d_len[11:0] : d_aad[11:0];
			op_rollover <= d_rollover;
			packet      <= d_packet && !desc_err && !d_len_bad && !d_ctx_bad;
			admin       <= d_admin && !desc_err && !d_ctx_bad && d_src[5:0] == 6'h0;
			end_status  <= desc_err ? srtpdev::ST_DMA_RD
				: d_op == srtpdev::OP_NOP ? srtpdev::ST_OK
				: !d_packet && !d_admin ? srtpdev::ST_BAD_OP
				: d_ctx_bad ? srtpdev::ST_CTX_INVALID
				: srtpdev::ST_LEN_ERR;
		end
	end

	wire unused = ^{read_end[12], read_end[5:0]};
endmodule

`default_nettype wire
