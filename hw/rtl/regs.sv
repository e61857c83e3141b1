// SPDX-License-Identifier: Apache-2.0
// The register file: what is there and where is in hw/regs/regs.json. One 32-bit access per clock; what is read is
// there a clock later.
`default_nettype none

module regs #(
	parameter integer QUEUES = 4,
	parameter integer QUEUE_BITS = 2,
	parameter [31:0] CAPS = 32'h0
) (
	input  wire                  clk,
	input  wire                  rst,
	input  wire                  block_rst,  // queues are forgotten, the rest stays
	input  wire                  write,
	input  wire                  read,
	input  wire [11:0]           addr,
	input  wire [31:0]           wdata,
	output reg  [31:0]           rdata,
	// settings
	output reg                   ask_reset,
	output reg                   ask_wipe,
	output reg  [31:0]           drain_limit,
	output reg  [15:0]           flush,
	output reg  [1:0]            inject,
	input  wire                  inject_used,
	output reg  [1:0]            inject_write,
	input  wire                  inject_write_used,
	output reg  [QUEUES-1:0]     irq_mask,
	output reg  [QUEUES-1:0]     enable,
	output reg  [64*QUEUES-1:0]  desc_base,
	output reg  [64*QUEUES-1:0]  cpl_base,
	output reg  [4*QUEUES-1:0]   size_log2,
	output reg  [16*QUEUES-1:0]  tail,
	// state
	input  wire                  ready,
	input  wire                  timed_out,
	input  wire [9:0]            busy,
	input  wire [16*QUEUES-1:0]  fetched,
	input  wire [16*QUEUES-1:0]  completed,
	// ends of operations, and other things to count: one bit per counter
	input  wire                  event_valid,
	input  wire [3:0]            event_status,
	input  wire [QUEUE_BITS-1:0] event_queue,
	input  wire [15:0]           event_desc,
	input  wire [31:0]           event_ctx,
	input  wire [srtpdev::COUNTERS-1:0] count
);
	wire clear = rst || block_rst;

	// --- writes ---

	function [1:0] flips(input [1:0] n); // a number of bits, made a mask
		flips = n == 2'd2 ? 2'b11 : {1'b0, n[0]};
	endfunction

	wire [11:0] q_offset = addr - srtpdev::QUEUES_AT[11:0];
	wire in_queues = addr >= srtpdev::QUEUES_AT[11:0] && {20'h0, q_offset} < srtpdev::QUEUE_STRIDE * QUEUES;
	wire [QUEUE_BITS-1:0] q = q_offset[6 +: QUEUE_BITS];
	wire [5:0] q_reg = q_offset[5:0];

	always @(posedge clk) begin
		ask_reset <= !rst && write && addr == srtpdev::REG_CONTROL && wdata[srtpdev::REG_CONTROL_RESET_LSB];
		ask_wipe  <= !rst && write && addr == srtpdev::REG_CONTROL && wdata[srtpdev::REG_CONTROL_WIPE_LSB];
		if (rst) begin
			drain_limit <= srtpdev::RESET_DRAIN_LIMIT;
			flush <= srtpdev::RESET_FLUSH[15:0];
			irq_mask <= {QUEUES{1'b0}};
		end else if (write) begin
			if (addr == srtpdev::REG_DRAIN_LIMIT)
				drain_limit <= wdata;
			if (addr == srtpdev::REG_FLUSH)
				flush <= wdata[15:0];
			if (addr == srtpdev::REG_IRQ_MASK)
				irq_mask <= wdata[QUEUES-1:0];
		end
		if (clear)
			{inject_write, inject} <= 4'd0;
		else if (write && addr == srtpdev::REG_ECC_INJECT) begin
			inject <= flips(wdata[srtpdev::REG_ECC_INJECT_READ_LSB +: 2]);
			inject_write <= flips(wdata[srtpdev::REG_ECC_INJECT_WRITE_LSB +: 2]);
		end else begin
			if (inject_used)
				inject <= 2'd0;
			if (inject_write_used)
				inject_write <= 2'd0;
		end
		if (clear) begin
			enable <= {QUEUES{1'b0}};
			tail <= {(16*QUEUES){1'b0}};
		end else if (write && in_queues) begin
			if (q_reg == srtpdev::QUEUE_CONFIG) begin
				enable[q] <= wdata[srtpdev::QUEUE_CONFIG_ENABLE_LSB];
				size_log2[4*q +: 4] <= wdata[3:0] < 4'd2 ? 4'd2 : wdata[3:0] > 4'd14 ? 4'd14 : wdata[3:0];
			end
			if (q_reg == srtpdev::QUEUE_TAIL)
				tail[16*q +: 16] <= wdata[15:0];
			if (q_reg == srtpdev::QUEUE_DESC_LO)
				desc_base[64*q +: 32] <= {wdata[31:6], 6'h0};
			if (q_reg == srtpdev::QUEUE_DESC_HI)
				desc_base[64*q + 32 +: 32] <= wdata;
			if (q_reg == srtpdev::QUEUE_CPL_LO)
				cpl_base[64*q +: 32] <= {wdata[31:6], 6'h0};
			if (q_reg == srtpdev::QUEUE_CPL_HI)
				cpl_base[64*q + 32 +: 32] <= wdata;
		end
	end

	// --- errors: not forged packets, which are daily bread and counted ---

	wire [55:0] error;
	wire no_error, errors_full;
	reg lost;
	wire is_error = event_valid && event_status != srtpdev::ST_OK && event_status != srtpdev::ST_TAG_FAIL;
	wire error_pop = read && addr == srtpdev::REG_ERROR_CONTEXT && !no_error;
	fifo #(.WIDTH (56), .LOG2 (4)) errors (
		.clk (clk), .rst (clear), .push (is_error && !errors_full),
		.in ({event_status, {(4 - QUEUE_BITS){1'b0}}, event_queue, event_desc, event_ctx}), .pop (error_pop),
		.out (error), .empty (no_error), .full (errors_full)
	);
	reg told; // the host has read so of the oldest
	always @(posedge clk) begin
		if (clear)
			lost <= 1'b0;
		else if (is_error && errors_full)
			lost <= 1'b1;
		else if (error_pop && told)
			lost <= 1'b0;
		if (clear || error_pop)
			told <= 1'b0;
		else if (read && addr == srtpdev::REG_ERROR_WHAT)
			told <= lost;
	end

	// --- counters; the high word is held when the low one is read ---

	reg [63:0] counters [0:srtpdev::COUNTERS-1];
	reg [31:0] high;
	wire [11:0] c_offset = addr - srtpdev::COUNTERS_AT[11:0];
	wire in_counters = addr >= srtpdev::COUNTERS_AT[11:0] && {20'h0, c_offset} < 8 * srtpdev::COUNTERS;
	wire [3:0] c = c_offset[6:3];
	integer i;
	always @(posedge clk) begin
		for (i = 0; i < srtpdev::COUNTERS; i = i + 1)
			counters[i] <= clear ? 64'h0 : counters[i] + {63'h0, count[i]};
		if (read && in_counters && !c_offset[2])
			high <= counters[c][63:32];
	end

	// --- reads ---

	wire [31:0] status = {6'h0, busy, 13'h0, !no_error, timed_out, ready && !ask_reset && !ask_wipe};
	always @(posedge clk) begin
		rdata <= 32'h0;
		if (read && in_counters)
			rdata <= c_offset[2] ? high : counters[c][31:0];
		else if (read && in_queues)
			case (q_reg)
			srtpdev::QUEUE_DESC_LO:   rdata <= desc_base[64*q +: 32];
			srtpdev::QUEUE_DESC_HI:   rdata <= desc_base[64*q + 32 +: 32];
			srtpdev::QUEUE_CPL_LO:    rdata <= cpl_base[64*q +: 32];
			srtpdev::QUEUE_CPL_HI:    rdata <= cpl_base[64*q + 32 +: 32];
			srtpdev::QUEUE_CONFIG:    rdata <= {enable[q], 27'h0, size_log2[4*q +: 4]};
			srtpdev::QUEUE_TAIL:      rdata <= {16'h0, tail[16*q +: 16]};
			srtpdev::QUEUE_FETCHED:   rdata <= {16'h0, fetched[16*q +: 16]};
			srtpdev::QUEUE_COMPLETED: rdata <= {16'h0, completed[16*q +: 16]};
			default:                  rdata <= 32'h0;
			endcase
		else if (read)
			case (addr)
			srtpdev::REG_ID:            rdata <= srtpdev::ID_VALUE;
			srtpdev::REG_VERSION:       rdata <= srtpdev::VERSION_VALUE;
			srtpdev::REG_CAPS:          rdata <= CAPS;
			srtpdev::REG_STATUS:        rdata <= status;
			srtpdev::REG_DRAIN_LIMIT:   rdata <= drain_limit;
			srtpdev::REG_FLUSH:         rdata <= {16'h0, flush};
			srtpdev::REG_ERROR_WHAT:    rdata <= no_error ? 32'h0
				: {1'b1, lost, 2'b0, error[55:52], 4'h0, error[51:48], error[47:32]};
			srtpdev::REG_ERROR_CONTEXT: rdata <= no_error ? 32'h0 : error[31:0];
			srtpdev::REG_ECC_INJECT:    rdata <= {28'h0, inject_write, inject};
			srtpdev::REG_IRQ_MASK:      rdata <= {{(32 - QUEUES){1'b0}}, irq_mask};
			default:                    rdata <= 32'h0;
			endcase
	end

	wire unused = ^{c_offset[11:7], c_offset[1:0], q_offset[11:6]};
endmodule

`default_nettype wire
