// SPDX-License-Identifier: Apache-2.0
// Fetches descriptors: two per 64-octet read, many reads in flight, answers in any order, descriptors handed on in
// ring order. A queue keeps its turn for four lines while it has work, then the next one with work gets it.
//
// The line buffer is a ring: a read is issued into the next line, and the oldest line is handed on when it is there.
`default_nettype none

module desc_fetch #(
	parameter integer QUEUES = 4,
	parameter integer QUEUE_BITS = 2,
	parameter integer LINE_BITS = 5
) (
	input  wire                   clk,
	input  wire                   rst,
	input  wire                   stop,        // issue no more reads
	output wire                   busy,
	// rings, one slice per queue
	input  wire [QUEUES-1:0]      enable,
	input  wire [64*QUEUES-1:0]   base,
	input  wire [4*QUEUES-1:0]    size_log2,
	input  wire [16*QUEUES-1:0]   tail,
	output wire [16*QUEUES-1:0]   fetched,
	// reads
	output wire                   req_valid,
	input  wire                   req_ready,
	output wire [63:0]            req_addr,
	output wire [LINE_BITS-1:0]   req_line,
	input  wire                   rsp_valid,
	input  wire [LINE_BITS-1:0]   rsp_line,
	input  wire                   rsp_err,
	input  wire [511:0]           rsp_data,
	output wire                   rsp_stray,
	// descriptors
	output wire                   desc_valid,
	input  wire                   desc_ready,
	output wire [QUEUE_BITS-1:0]  desc_queue,
	output wire [15:0]            desc_index,
	output wire                   desc_err,    // the read failed: desc means nothing
	output wire [255:0]           desc
);
	localparam integer LINES = 1 << LINE_BITS;
	localparam integer INFO = QUEUE_BITS + 17;
	localparam integer LAST_I = QUEUES - 1;
	localparam [QUEUE_BITS-1:0] LAST_QUEUE = LAST_I[QUEUE_BITS-1:0];

	reg [QUEUE_BITS-1:0] turn;
	reg [1:0] turn_lines;
	wire [QUEUES-1:0] work;

	// The line to ask for: both its descriptors, or the one that is there.
	wire [15:0] at_turn = fetched[16*turn +: 16];
	wire [15:0] there = tail[16*turn +: 16] - at_turn;
	wire pair = !at_turn[0] && there != 16'd1;
	wire [15:0] in_ring = at_turn & ~(16'hffff << size_log2[4*turn +: 4]);

	// Where each queue is. A queue that is disabled starts again at 0.
	genvar q;
	generate
		for (q = 0; q < QUEUES; q = q + 1) begin : queue
			reg [15:0] at;
			assign fetched[16*q +: 16] = at;
			assign work[q] = enable[q] && at != tail[16*q +: 16];
			always @(posedge clk)
				if (rst || !enable[q])
					at <= 16'h0;
				else if (req_valid && req_ready && turn == q)
					at <= at + (pair ? 16'd2 : 16'd1);
		end
	endgenerate

	reg [LINE_BITS:0] ask, give; // lines asked for and handed on, free running
	wire lines_full = ask == {~give[LINE_BITS], give[LINE_BITS-1:0]};
	reg [LINES-1:0] waiting;     // asked for, not there yet
	reg [LINES-1:0] failed;
	reg offered;                 // and not taken: that read is asked for until it is

	assign req_valid = work[turn] && !lines_full && (!stop || offered);
	assign req_addr  = base[64*turn +: 64] + {43'h0, in_ring[15:1], 6'h0};
	assign req_line  = ask[LINE_BITS-1:0];
	assign busy      = ask != give || offered;
	assign rsp_stray = rsp_valid && !waiting[rsp_line];

	reg [511:0] lines [0:LINES-1];
	reg [INFO-1:0] infos [0:LINES-1];
	wire req_fire = req_valid && req_ready;
	wire rsp_fire = rsp_valid && waiting[rsp_line];

	always @(posedge clk) begin
		if (rsp_fire)
			lines[rsp_line] <= rsp_data;
		if (req_fire)
			infos[req_line] <= {turn, pair, at_turn};
	end

	always @(posedge clk) begin
		if (rst) begin
			turn <= {QUEUE_BITS{1'b0}};
			turn_lines <= 2'd0;
			ask <= {(LINE_BITS + 1){1'b0}};
			waiting <= {LINES{1'b0}};
			failed <= {LINES{1'b0}};
			offered <= 1'b0;
		end else begin
			offered <= req_valid && !req_ready;
			if (req_fire) begin
				ask <= ask + 1'b1;
				waiting[req_line] <= 1'b1;
				failed[req_line] <= 1'b0;
				turn_lines <= turn_lines + 2'd1;
			end
			if (rsp_fire) begin
				waiting[rsp_line] <= 1'b0;
				failed[rsp_line] <= rsp_err;
			end
			if (!work[turn] || (req_fire && turn_lines == 2'd3)) begin
				turn <= turn == LAST_QUEUE ? {QUEUE_BITS{1'b0}} : turn + 1'b1;
				turn_lines <= 2'd0;
			end
		end
	end

	// Handing on.
	reg second; // the line's first descriptor has gone
	wire [LINE_BITS-1:0] oldest = give[LINE_BITS-1:0];
	wire line_pair;
	wire [15:0] line_index;
	assign {desc_queue, line_pair, line_index} = infos[oldest];
	assign desc_valid = ask != give && !waiting[oldest];
	assign desc_index = line_index + {15'h0, second};
	assign desc_err   = failed[oldest];
	assign desc       = desc_index[0] ? lines[oldest][511:256] : lines[oldest][255:0];

	always @(posedge clk) begin
		if (rst) begin
			give <= {(LINE_BITS + 1){1'b0}};
			second <= 1'b0;
		end else if (desc_valid && desc_ready) begin
			second <= line_pair && !second;
			if (!line_pair || second)
				give <= give + 1'b1;
		end
	end

	wire unused = in_ring[0];

	initial begin
		if (QUEUES < 1 || QUEUES > 1 << QUEUE_BITS) $fatal(1, "desc_fetch: QUEUES does not fit QUEUE_BITS");
	end
endmodule

`default_nettype wire
