// SPDX-License-Identifier: Apache-2.0
// What leaves. Every operation that has its verdict comes here; a packet is written to the host only if the verdict is
// OK and its context still is of the generation that it began under. Anything else ends with its status, and no octet
// of it goes out: this is the one place that can write packets.
//
// One beat per clock: rows of the output memory with the header and (protect) the tag laid over them, shifted to the
// destination's alignment.
//
// Clocks: verdict | its operation | generation | beats: memories | overlay | shift | bus queue.
`default_nettype none

module packet_out #(
	parameter integer SLOT_BITS = 7,
	parameter integer CTX_BITS = 8,
	parameter integer QUEUE_LOG2 = 4  // beats on their way to the bus
) (
	input  wire                 clk,
	input  wire                 rst,
	// operations that start
	input  wire                 start,
	input  wire [SLOT_BITS-1:0] start_slot,
	input  wire [CTX_BITS-1:0]  start_ctx,
	input  wire [15:0]          start_gen,
	input  wire                 start_unprotect,
	input  wire [4:0]           start_tag,
	input  wire [11:0]          start_len,
	input  wire [11:0]          start_aad,
	input  wire [63:0]          start_dst,
	// verdicts: tags first, they cannot wait; then those that end without a packet
	input  wire                 tag_done,
	input  wire [SLOT_BITS-1:0] tag_slot,
	input  wire                 tag_ok,
	input  wire                 end_valid,
	output wire                 end_ready,
	input  wire [SLOT_BITS-1:0] end_slot,
	input  wire [3:0]           end_status,
	// generation, a clock later unless hold
	output wire [CTX_BITS-1:0]  gen_ctx,
	output wire                 gen_hold,
	input  wire                 gen_valid,
	input  wire [15:0]          gen,
	// output, header and tag memories, a clock later
	output wire [SLOT_BITS+4:0] row,
	input  wire [1023:0]        row_data,
	output wire [SLOT_BITS-1:0] side_slot,
	input  wire [511:0]         head_data,
	input  wire [127:0]         tag_data,
	// to the host
	output wire                 wr_valid,
	input  wire                 wr_ready,
	output wire [63:0]          wr_addr,
	output wire [511:0]         wr_data,
	output wire [63:0]          wr_strb,
	output wire                 wr_last,
	output wire [SLOT_BITS-1:0] wr_slot,
	// the operation's end as far as this stage knows it; a packet's writes are still to be acknowledged
	output wire                 out_valid,
	output wire [SLOT_BITS-1:0] out_slot,
	output wire [3:0]           out_status,
	output wire [11:0]          out_octets,
	output wire                 out_writes
);
	localparam integer OP = CTX_BITS + 16 + 1 + 5 + 12 + 12 + 64;

	// --- verdict ---

	wire [SLOT_BITS-1:0] slot0, slot_in;
	wire [3:0] status0, status_in;
	wire packet0, none, unused_full;
	assign slot_in   = tag_done ? tag_slot : end_slot;
	assign status_in = tag_done ? (tag_ok ? srtpdev::ST_OK : srtpdev::ST_TAG_FAIL) : end_status;
	assign end_ready = !tag_done;
	wire go;
	fifo #(.WIDTH (SLOT_BITS + 5), .LOG2 (SLOT_BITS)) verdicts (
		.clk (clk), .rst (rst), .push (tag_done || end_valid), .in ({slot_in, status_in, tag_done}), .pop (go && !none),
		.out ({slot0, status0, packet0}), .empty (none), .full (unused_full)
	);

	// --- operation ---

	reg v1, v2, packet1, packet2;
	reg [SLOT_BITS-1:0] slot1, slot2;
	reg [3:0] status1, status2;
	wire [OP-1:0] op1;
	reg [OP-1:0] op2;
	info_ram #(.WIDTH (OP), .LOG2 (SLOT_BITS)) ops (
		.clk (clk), .we (start), .waddr (start_slot),
		.wdata ({start_ctx, start_gen, start_unprotect, start_tag, start_len, start_aad, start_dst}),
		.hold (!go), .raddr (slot0), .rdata (op1), .wipe (1'b0), .wipe_at ({SLOT_BITS{1'b0}})
	);
	assign gen_ctx  = op1[OP-1 -: CTX_BITS];
	assign gen_hold = !go;

	always @(posedge clk)
		if (rst)
			{v1, v2} <= 2'b0;
		else if (go)
			{v1, v2} <= {!none, v1};
	always @(posedge clk)
		if (go) begin
			{slot1, status1, packet1} <= {slot0, status0, packet0};
			{slot2, status2, packet2, op2} <= {slot1, status1, packet1, op1};
		end

	// --- generation: the last word on whether it may leave ---

	wire [CTX_BITS-1:0] unused_ctx;
	wire [15:0] began;
	wire unprotect;
	wire [4:0] tag_octets;
	wire [11:0] len, aad;
	wire [63:0] dst;
	assign {unused_ctx, began, unprotect, tag_octets, len, aad, dst} = op2;

	wire current = gen_valid && gen == began;
	wire [3:0] status = packet2 && status2 == srtpdev::ST_OK && !current ? srtpdev::ST_ABORTED : status2;
	wire writes = packet2 && status == srtpdev::ST_OK;

	// --- beats ---

	wire [11:0] total = len + (unprotect ? 12'd0 : {7'h0, tag_octets});
	wire [5:0] skew = dst[5:0];
	wire [12:0] span = {1'b0, total} + {7'h0, skew};
	reg [5:0] beat;
	reg [QUEUE_LOG2:0] owed;      // beats in the queue or on their way to it
	wire room = !owed[QUEUE_LOG2];
	wire last = span <= {1'b0, beat, 6'h0} + 13'd64;
	wire issue = v2 && writes && room;
	assign go = !v2 || !writes || (issue && last);

	assign out_valid  = v2 && go;
	assign out_slot   = slot2;
	assign out_status = status;
	assign out_octets = writes ? total : 12'd0;
	assign out_writes = writes;

	// Beat m begins at the packet's octet 64m - skew: row m, or with a skew the end of row m - 1.
	wire skewed = skew != 6'd0;
	wire [6:0] row_in = {1'b0, beat} - {6'h0, skewed}; // -1 to 32: a tag may be all that row 32 has
	assign row = {slot2, 5'h0} + {{(SLOT_BITS - 2){row_in[6]}}, row_in};
	assign side_slot = slot2;

	always @(posedge clk) begin
		if (rst) begin
			beat <= 6'd0;
			owed <= {(QUEUE_LOG2 + 1){1'b0}};
		end else begin
			if (issue)
				beat <= last ? 6'd0 : beat + 6'd1;
			if (issue && !(wr_valid && wr_ready))
				owed <= owed + 1'b1;
			if (!issue && wr_valid && wr_ready)
				owed <= owed - 1'b1;
		end
	end

	// --- overlay: header in the packet's row 0, tag behind its last octet ---

	reg b1_valid, b1_last, b1_low_first, b1_high_first, b1_tag, b1_first;
	reg [SLOT_BITS-1:0] b1_slot;
	reg [63:0] b1_addr;
	reg [5:0] b1_up;
	reg [11:0] b1_aad;
	reg [12:0] b1_tag_at;         // of the tag in the two rows, 16 octets on; may be out of both
	reg [6:0] b1_end;             // octets of the beat that end it, when last
	wire [12:0] to_end = {1'b0, len} - {row_in, 6'h0};
	wire [12:0] end_in_beat = span - {1'b0, beat, 6'h0};
	always @(posedge clk) begin
		b1_valid      <= issue && !rst;
		b1_last       <= last;
		b1_first      <= beat == 6'd0;
		b1_low_first  <= row_in == 7'h0;
		b1_high_first <= row_in == 7'h7f;
		b1_slot       <= slot2;
		b1_addr       <= {dst[63:6], 6'h0} + {52'h0, beat, 6'h0};
		b1_up         <= skew;
		b1_aad        <= aad;
		b1_tag        <= !unprotect;
		b1_tag_at     <= to_end + 13'd16;
		b1_end        <= end_in_beat[6:0];
	end

	wire [511:0] head_mask = b1_aad >= 12'd64 ? {512{1'b1}} : ~({512{1'b1}} << {b1_aad[5:0], 3'b000});
	wire [511:0] low  = b1_low_first ? (row_data[511:0] & ~head_mask) | (head_data & head_mask) : row_data[511:0];
	wire [511:0] high = b1_high_first ? (row_data[1023:512] & ~head_mask) | (head_data & head_mask)
		: row_data[1023:512];
	wire tag_here = b1_tag && b1_tag_at < 13'd144;
	wire [1151:0] tag_laid = tag_here ? {1024'h0, tag_data} << {b1_tag_at[7:0], 3'b000} : 1152'h0;
	wire [1151:0] tag_mask = tag_here ? {1024'h0, {128{1'b1}}} << {b1_tag_at[7:0], 3'b000} : 1152'h0;

	reg b2_valid, b2_last;
	reg [SLOT_BITS-1:0] b2_slot;
	reg [63:0] b2_addr, b2_strb;
	reg [5:0] b2_up;
	reg [1023:0] b2_data;
	always @(posedge clk) begin
		b2_valid <= b1_valid && !rst;
		b2_last  <= b1_last;
		b2_slot  <= b1_slot;
		b2_addr  <= b1_addr;
		b2_up    <= b1_up;
		b2_strb  <= (b1_first ? {64{1'b1}} << b1_up : {64{1'b1}})
			& (b1_last ? ~({64{1'b1}} << b1_end) : {64{1'b1}});
		if (b1_valid || rst)
			b2_data <= ({high, low} & ~tag_mask[1151:128]) | tag_laid[1151:128];
	end

	// --- shift ---

	wire [5:0] down = 6'd0 - b2_up;
	wire [1023:0] shifted = b2_data >> {down, 3'b000};
	reg b3_valid, b3_last;
	reg [SLOT_BITS-1:0] b3_slot;
	reg [63:0] b3_addr, b3_strb;
	reg [511:0] b3_data;
	always @(posedge clk) begin
		b3_valid <= b2_valid && !rst;
		b3_last  <= b2_last;
		b3_slot  <= b2_slot;
		b3_addr  <= b2_addr;
		b3_strb  <= b2_strb;
		if (b2_valid || rst)
			b3_data <= shifted[511:0];
	end

	wire no_beat, unused_full_too;
	fifo #(.WIDTH (SLOT_BITS + 1 + 64 + 64 + 512), .LOG2 (QUEUE_LOG2)) beats (
		.clk (clk), .rst (rst), .push (b3_valid), .in ({b3_slot, b3_last, b3_addr, b3_strb, b3_data}),
		.pop (wr_valid && wr_ready), .out ({wr_slot, wr_last, wr_addr, wr_strb, wr_data}), .empty (no_beat),
		.full (unused_full_too)
	);
	assign wr_valid = !no_beat;

	wire unused = ^{tag_laid[127:0], tag_mask[127:0], shifted[1023:512], end_in_beat[12:7]};
endmodule

`default_nettype wire
