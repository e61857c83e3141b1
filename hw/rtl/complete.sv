// SPDX-License-Identifier: Apache-2.0
// Ends operations in the order in which they began, whatever order they were done in: writes their completions, four
// to a 64-octet line while they come one behind the other, and gives their slots back. A line that is not full waits
// `flush` clocks for more.
//
// One order for all queues: a queue's completions are in its order, and a slow operation of one queue delays the
// others' completions, not their work.
`default_nettype none

module complete #(
	parameter integer SLOT_BITS = 7,
	parameter integer QUEUES = 4,
	parameter integer QUEUE_BITS = 2
) (
	input  wire                    clk,
	input  wire                    rst,
	input  wire [15:0]             flush,
	input  wire [64*QUEUES-1:0]    base,
	input  wire [4*QUEUES-1:0]     size_log2,
	output reg  [16*QUEUES-1:0]    completed,
	// operations that start
	input  wire                    start,
	input  wire [SLOT_BITS-1:0]    start_slot,
	input  wire [QUEUE_BITS-1:0]   start_queue,
	input  wire [15:0]             start_desc,
	input  wire [31:0]             start_ctx,
	// what packet_out says of them, and the host's acknowledgement of writes
	input  wire                    out_valid,
	input  wire [SLOT_BITS-1:0]    out_slot,
	input  wire [3:0]              out_status,
	input  wire [11:0]             out_octets,
	input  wire                    out_writes,
	input  wire                    ack_valid,
	input  wire [SLOT_BITS-1:0]    ack_slot,
	input  wire                    ack_err,
	output wire                    ack_stray,
	// to the host
	output wire                    wr_valid,
	input  wire                    wr_ready,
	output wire [63:0]             wr_addr,
	output wire [511:0]            wr_data,
	output wire [63:0]             wr_strb,
	output wire [QUEUE_BITS-1:0]   wr_queue,
	// ends
	output wire                    give,
	output wire [SLOT_BITS-1:0]    give_slot,
	output wire                    event_valid,
	output wire [3:0]              event_status,
	output wire [QUEUE_BITS-1:0]   event_queue,
	output wire [15:0]             event_desc,
	output wire [31:0]             event_ctx,
	output wire                    busy
);
	localparam integer SLOTS = 1 << SLOT_BITS;

	// --- what is known of each slot ---

	reg [QUEUE_BITS+47:0] ops [0:SLOTS-1];
	reg [15:0] outs [0:SLOTS-1];
	reg [SLOTS-1:0] done, owes, refused; // ended; has writes to be acknowledged; the host refused them
	assign ack_stray = ack_valid && !owes[ack_slot];

	wire [SLOT_BITS-1:0] oldest;
	wire none, unused_full;
	fifo #(.WIDTH (SLOT_BITS), .LOG2 (SLOT_BITS)) order (
		.clk (clk), .rst (rst), .push (start), .in (start_slot), .pop (give), .out (oldest), .empty (none),
		.full (unused_full)
	);

	always @(posedge clk) begin
		if (start)
			ops[start_slot] <= {start_queue, start_desc, start_ctx};
		if (out_valid)
			outs[out_slot] <= {out_status, out_octets};
		if (rst) begin
			done <= {SLOTS{1'b0}};
			owes <= {SLOTS{1'b0}};
			refused <= {SLOTS{1'b0}};
		end else begin
			if (give) begin
				done[oldest] <= 1'b0;
				refused[oldest] <= 1'b0;
			end
			if (out_valid && out_writes)
				owes[out_slot] <= 1'b1;
			if (out_valid && !out_writes)
				done[out_slot] <= 1'b1;
			if (ack_valid && owes[ack_slot]) begin
				owes[ack_slot] <= 1'b0;
				done[ack_slot] <= 1'b1;
				refused[ack_slot] <= ack_err;
			end
		end
	end

	// --- the oldest operation's completion ---

	wire [QUEUE_BITS-1:0] queue;
	wire [15:0] desc;
	wire [31:0] ctx;
	wire [3:0] out_st;
	wire [11:0] octets;
	assign {queue, desc, ctx} = ops[oldest];
	assign {out_st, octets} = outs[oldest];
	wire [3:0] status = refused[oldest] ? srtpdev::ST_DMA_WR : out_st;
	wire [3:0] log2 = size_log2[4*queue +: 4];
	wire phase = !desc[log2];
	wire [127:0] record = {32'h0, ctx, 20'h0, refused[oldest] ? 12'h0 : octets, desc, 7'h0, phase, 4'h0, status};

	// --- the line being filled ---

	reg [511:0] line;
	reg [3:0] filled;
	reg [QUEUE_BITS-1:0] line_queue;
	reg [15:0] line_desc, waited;
	wire line_full, lines_empty;
	wire same = line_queue == queue && line_desc[15:2] == desc[15:2];
	wire mine = !none && done[oldest];
	wire other_in_way = filled != 4'h0 && !same;
	assign give = mine && !other_in_way && !(line_full && filled[3]);
	wire send = filled != 4'h0 && !line_full && (filled[3] || (mine && !same) || waited >= flush);

	assign give_slot    = oldest;
	assign event_valid  = give;
	assign event_status = status;
	assign event_queue  = queue;
	assign event_desc   = desc;
	assign event_ctx    = ctx;
	assign busy         = filled != 4'h0 || !lines_empty;

	always @(posedge clk) begin
		if (rst) begin
			filled <= 4'h0;
			completed <= {(16*QUEUES){1'b0}};
			waited <= 16'h0;
		end else begin
			waited <= give ? 16'h0 : waited == 16'hffff ? waited : waited + 16'h1;
			filled <= (send ? 4'h0 : filled) | (give ? 4'h1 << desc[1:0] : 4'h0);
			if (give)
				completed[16*queue +: 16] <= desc + 16'h1;
		end
		if (give) begin
			line[128*desc[1:0] +: 128] <= record;
			line_queue <= queue;
			line_desc <= desc;
		end
	end

	wire [15:0] in_ring = line_desc & ~(16'hffff << size_log2[4*line_queue +: 4]);
	wire [63:0] line_addr = base[64*line_queue +: 64] + {44'h0, in_ring[15:2], 6'h0};
	wire [3:0] wr_filled;
	fifo #(.WIDTH (QUEUE_BITS + 64 + 4 + 512), .LOG2 (2)) lines (
		.clk (clk), .rst (rst), .push (send), .in ({line_queue, line_addr, filled, line}), .pop (wr_valid && wr_ready),
		.out ({wr_queue, wr_addr, wr_filled, wr_data}), .empty (lines_empty), .full (line_full)
	);
	assign wr_valid = !lines_empty;
	assign wr_strb  = {{16{wr_filled[3]}}, {16{wr_filled[2]}}, {16{wr_filled[1]}}, {16{wr_filled[0]}}};

	wire unused = ^{in_ring[1:0], line_desc[1:0]};
endmodule

`default_nettype wire
