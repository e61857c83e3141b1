// SPDX-License-Identifier: Apache-2.0
// The block: everything between the card's register window and its bus to host memory, in packet order.
//
// Bus. Reads: an address (64-octet aligned), a number of beats and a tag; the beats of one tag come in order, those of
// different tags in any, and are always taken, for a read is asked for only when there is room. Up to 34 beats, over page
// boundaries too: who makes a bus's bursts of them splits them there. Writes: each beat has its own address and octet
// strobes; the last of a group (last) is acknowledged with its tag, once the host sees all of it; a completion's beat may
// come between those of a packet. Valid does not wait for ready, and an offer stays as it is until it is taken: only a
// reset withdraws one, and ends a group without its last beat. Tag: epoch (2), kind (2), number (8).
`default_nettype none

module device #(
	parameter integer LANES = 4,          // 1, 2 or 4
	parameter integer CTX_BITS = 8,       // contexts: 8 (256) to 16 (64k)
	parameter integer SLOT_BITS = 7,      // packets inside: 5 to 8
	parameter integer QUEUES = 4,         // 1 to 8
	parameter integer LINE_BITS = 5,      // descriptor lines in flight: 2 to 8
	parameter integer SHA_ITERATIVE = 0   // one small SHA-1 core instead of the pipe
) (
	input  wire              clk,
	input  wire              rst,
	// registers
	input  wire              reg_write,
	input  wire              reg_read,
	input  wire [11:0]       reg_addr,
	input  wire [31:0]       reg_wdata,
	output wire [31:0]       reg_rdata,   // a clock later
	output reg  [QUEUES-1:0] irq,         // for a clock
	// reads
	output wire              rd_valid,
	input  wire              rd_ready,
	output wire [63:0]       rd_addr,
	output wire [5:0]        rd_beats,
	output wire [11:0]       rd_tag,
	input  wire              rsp_valid,
	input  wire [11:0]       rsp_tag,
	input  wire [5:0]        rsp_beat,
	input  wire              rsp_last,
	input  wire              rsp_err,
	input  wire [511:0]      rsp_data,
	// writes
	output wire              wr_valid,
	input  wire              wr_ready,
	output wire [63:0]       wr_addr,
	output wire [511:0]      wr_data,
	output wire [63:0]       wr_strb,
	output wire              wr_last,
	output wire [11:0]       wr_tag,
	input  wire              ack_valid,
	input  wire [11:0]       ack_tag,
	input  wire              ack_err
);
	localparam integer QUEUE_BITS = QUEUES > 4 ? 3 : QUEUES > 2 ? 2 : 1;
	localparam integer ROW_BITS = SLOT_BITS + 5;    // 32 rows of 64 octets per slot
	localparam integer WIPE_CTX = CTX_BITS + 1;
	localparam integer WIPE_MEM = ROW_BITS - 1;
	localparam integer WIPE_BITS = WIPE_CTX > WIPE_MEM ? (WIPE_CTX > 9 ? WIPE_CTX : 9) : (WIPE_MEM > 9 ? WIPE_MEM : 9);
	localparam [1:0] KIND_PACKET = 2'd0, KIND_DESC = 2'd1, KIND_KEY = 2'd2, KIND_CPL = 2'd3;
	localparam [31:0] CAPS = (LANES << srtpdev::REG_CAPS_LANES_LSB) | (QUEUES << srtpdev::REG_CAPS_QUEUES_LSB)
		| (CTX_BITS << srtpdev::REG_CAPS_CTX_LOG2_LSB) | (SLOT_BITS << srtpdev::REG_CAPS_SLOTS_LOG2_LSB)
		| (SHA_ITERATIVE << srtpdev::REG_CAPS_SHA_ITERATIVE_LSB);

	// --- registers and reset ---

	wire block_rst, wipe, stop, ready, timed_out, ask_reset, ask_wipe, inject_used;
	wire [WIPE_BITS-1:0] wipe_at;
	wire [1:0] epoch, inject, inject_write;
	wire [31:0] drain_limit;
	wire [15:0] flush;
	wire [QUEUES-1:0] irq_mask, enable;
	wire [64*QUEUES-1:0] desc_base, cpl_base;
	wire [4*QUEUES-1:0] size_log2;
	wire [16*QUEUES-1:0] tail, fetched, completed;
	wire [srtpdev::COUNTERS-1:0] count;
	wire event_valid;
	wire [3:0] event_status;
	wire [QUEUE_BITS-1:0] event_queue;
	wire [15:0] event_desc;
	wire [31:0] event_ctx;
	wire [SLOT_BITS:0] slots_used;
	wire fetch_busy, intake_busy, complete_busy;
	wire busy = slots_used != {(SLOT_BITS + 1){1'b0}} || fetch_busy || intake_busy || complete_busy;

	regs #(.QUEUES (QUEUES), .QUEUE_BITS (QUEUE_BITS), .CAPS (CAPS)) registers (
		.clk (clk), .rst (rst), .block_rst (block_rst), .write (reg_write), .read (reg_read), .addr (reg_addr),
		.wdata (reg_wdata), .rdata (reg_rdata), .ask_reset (ask_reset), .ask_wipe (ask_wipe),
		.drain_limit (drain_limit), .flush (flush), .inject (inject), .inject_used (inject_used),
		.inject_write (inject_write), .inject_write_used (row_we), .irq_mask (irq_mask),
		.enable (enable), .desc_base (desc_base), .cpl_base (cpl_base), .size_log2 (size_log2), .tail (tail),
		.ready (ready), .timed_out (timed_out), .busy ({{(9 - SLOT_BITS){1'b0}}, slots_used}), .fetched (fetched),
		.completed (completed), .event_valid (event_valid), .event_status (event_status), .event_queue (event_queue),
		.event_desc (event_desc), .event_ctx (event_ctx), .count (count)
	);

	reset_ctl #(.WIPE_BITS (WIPE_BITS)) reset (
		.clk (clk), .rst (rst), .ask_reset (ask_reset), .ask_wipe (ask_wipe), .limit (drain_limit), .busy (busy),
		.stop (stop), .block_rst (block_rst), .wipe (wipe), .wipe_at (wipe_at), .ready (ready),
		.timed_out (timed_out), .epoch (epoch)
	);

	// --- answers of the bus: to whom they belong; those of an earlier epoch to nobody ---

	wire rsp_now = rsp_valid && rsp_tag[11:10] == epoch;
	wire [1:0] rsp_kind = rsp_tag[9:8];
	wire ack_now = ack_valid && ack_tag[11:10] == epoch;
	wire stray_desc, stray_packet, stray_key, stray_ack;

	// --- descriptors ---

	wire desc_req, desc_grant, desc_valid, desc_ready, desc_err;
	wire [63:0] desc_addr;
	wire [LINE_BITS-1:0] desc_line;
	wire [QUEUE_BITS-1:0] desc_queue;
	wire [15:0] desc_index;
	wire [255:0] desc;
	desc_fetch #(.QUEUES (QUEUES), .QUEUE_BITS (QUEUE_BITS), .LINE_BITS (LINE_BITS)) fetch (
		.clk (clk), .rst (block_rst), .stop (stop), .busy (fetch_busy), .enable (enable), .base (desc_base),
		.size_log2 (size_log2), .tail (tail), .fetched (fetched), .req_valid (desc_req), .req_ready (desc_grant),
		.req_addr (desc_addr), .req_line (desc_line), .rsp_valid (rsp_now && rsp_kind == KIND_DESC),
		.rsp_line (rsp_tag[LINE_BITS-1:0]), .rsp_err (rsp_err), .rsp_data (rsp_data), .rsp_stray (stray_desc),
		.desc_valid (desc_valid), .desc_ready (desc_ready), .desc_queue (desc_queue), .desc_index (desc_index),
		.desc_err (desc_err), .desc (desc)
	);

	// --- operations ---

	wire slot_available, start, start_packet, start_admin, give;
	wire [SLOT_BITS-1:0] slot, give_slot;
	slot_pool #(.SLOT_BITS (SLOT_BITS)) slots (
		.clk (clk), .rst (block_rst), .available (slot_available), .slot (slot), .take (start), .give (give),
		.give_slot (give_slot), .used (slots_used)
	);

	wire [QUEUE_BITS-1:0] op_queue;
	wire [15:0] op_desc, op_gen;
	wire [31:0] op_ctx, op_rollover;
	wire op_rtcp, op_unprotect, op_wipe;
	wire [7:0] op_arg;
	wire [63:0] op_src, op_dst;
	wire [11:0] op_len, op_aad;
	wire packet_req, packet_grant, admin_valid, admin_ready, intake_end, intake_end_ready;
	wire [5:0] packet_beats;
	wire [3:0] intake_status;
	intake #(.CTX_BITS (CTX_BITS), .QUEUE_BITS (QUEUE_BITS)) ops (
		.clk (clk), .rst (block_rst), .busy (intake_busy), .desc_valid (desc_valid), .desc_ready (desc_ready),
		.desc_queue (desc_queue), .desc_index (desc_index), .desc_err (desc_err), .desc (desc),
		.slot_available (slot_available), .start (start), .op_queue (op_queue), .op_desc (op_desc),
		.op_ctx (op_ctx), .op_gen (op_gen), .op_rtcp (op_rtcp), .op_unprotect (op_unprotect), .op_arg (op_arg),
		.op_src (op_src), .op_dst (op_dst), .op_len (op_len), .op_aad (op_aad), .op_rollover (op_rollover),
		.start_packet (start_packet), .start_admin (start_admin), .op_wipe (op_wipe), .read_valid (packet_req),
		.read_ready (packet_grant), .read_beats (packet_beats), .admin_valid (admin_valid),
		.admin_ready (admin_ready), .end_valid (intake_end), .end_ready (intake_end_ready),
		.end_status (intake_status)
	);

	// --- reads: key blocks, descriptors, packets ---

	wire key_req, read_key, read_desc, read_packet;
	wire [63:0] key_addr;
	offer #(.SOURCES (3)) reads (
		.clk (clk), .rst (block_rst), .ask ({packet_req, desc_req, key_req}),
		.offered ({read_packet, read_desc, read_key}), .taken (rd_ready)
	);
	assign rd_valid = read_key || read_desc || read_packet;
	wire key_grant = rd_ready && read_key;
	assign desc_grant   = rd_ready && read_desc;
	assign packet_grant = rd_ready && read_packet;
	assign rd_addr  = read_key ? key_addr : read_desc ? desc_addr : {op_src[63:6], 6'h0};
	assign rd_beats = read_key ? 6'd4 : read_desc ? 6'd1 : packet_beats;
	assign rd_tag   = {epoch, read_key ? {KIND_KEY, 8'h0} : read_desc ? {KIND_DESC, {(8 - LINE_BITS){1'b0}}, desc_line}
		: {KIND_PACKET, {(8 - SLOT_BITS){1'b0}}, slot}};

	// --- packets come in ---

	wire in_we, head_we, tag_we, in_ready, in_err;
	wire [ROW_BITS-1:0] in_row;
	wire [1023:0] in_data;
	wire [127:0] in_be, tag_in;
	wire [SLOT_BITS-1:0] side_slot, in_slot;
	wire [511:0] head_in;
	wire [63:0] head_be;
	wire [15:0] tag_be;
	packet_in #(.SLOT_BITS (SLOT_BITS)) packets_in (
		.clk (clk), .rst (block_rst), .start (start_packet), .start_slot (slot), .start_offset (op_src[5:0]),
		.start_len (op_len), .rsp_valid (rsp_now && rsp_kind == KIND_PACKET), .rsp_slot (rsp_tag[SLOT_BITS-1:0]),
		.rsp_beat (rsp_beat), .rsp_last (rsp_last), .rsp_err (rsp_err), .rsp_data (rsp_data),
		.rsp_stray (stray_packet), .mem_we (in_we), .mem_row (in_row), .mem_data (in_data), .mem_be (in_be),
		.side_slot (side_slot), .head_we (head_we), .head_data (head_in), .head_be (head_be), .tag_we (tag_we),
		.tag_data (tag_in), .tag_be (tag_be), .ready (in_ready), .ready_slot (in_slot), .ready_err (in_err)
	);

	// --- packet memories: as received, as it leaves, as it is authenticated by HMAC ---

	wire [ROW_BITS-1:0] lane_read_row, lane_write_row, out_row, hash_row;
	wire [1023:0] lane_read, lane_write, lane_cipher, out_rows, hash_rows;
	wire [127:0] lane_be;
	wire lane_we, lane_hash_we;
	row_mem #(.ROW_BITS (ROW_BITS)) received_mem (
		.clk (clk), .we (in_we), .wrow (in_row), .wdata (in_data), .wbe (in_be), .rrow (lane_read_row),
		.rdata (lane_read), .wipe (wipe), .wipe_at (wipe_at[ROW_BITS-2:0])
	);
	row_mem #(.ROW_BITS (ROW_BITS)) output_mem (
		.clk (clk), .we (lane_we), .wrow (lane_write_row), .wdata (lane_write), .wbe (lane_be), .rrow (out_row),
		.rdata (out_rows), .wipe (wipe), .wipe_at (wipe_at[ROW_BITS-2:0])
	);
	row_mem #(.ROW_BITS (ROW_BITS)) hash_mem (
		.clk (clk), .we (lane_hash_we), .wrow (lane_write_row), .wdata (lane_cipher), .wbe (lane_be), .rrow (hash_row),
		.rdata (hash_rows), .wipe (wipe), .wipe_at (wipe_at[ROW_BITS-2:0])
	);

	// Headers, one copy for each of three readers: jobs, hash, output.
	wire [SLOT_BITS-1:0] head_slot [0:2];
	wire [511:0] head_out [0:2];
	wire [SLOT_BITS-1:0] job_head_slot, hash_head_slot, out_side_slot;
	wire dispatch_hold;
	assign head_slot[0] = job_head_slot;
	assign head_slot[1] = hash_head_slot;
	assign head_slot[2] = out_side_slot;
	genvar i;
	generate
		for (i = 0; i < 3; i = i + 1) begin : head
			byte_ram #(.OCTETS (64), .LOG2 (SLOT_BITS)) copy (
				.clk (clk), .we (head_we || wipe), .waddr (wipe ? wipe_at[SLOT_BITS-1:0] : side_slot),
				.wdata (wipe ? 512'h0 : head_in), .wbe (wipe ? {64{1'b1}} : head_be), .hold (i == 0 && dispatch_hold),
				.raddr (head_slot[i]), .rdata (head_out[i])
			);
		end
	endgenerate

	// Tags, received and made.
	wire made;
	wire [SLOT_BITS-1:0] made_slot, received_slot;
	wire [127:0] made_tag, received_tag, leaving_tag;
	byte_ram #(.OCTETS (16), .LOG2 (SLOT_BITS)) tags_received (
		.clk (clk), .we (tag_we || wipe), .waddr (wipe ? wipe_at[SLOT_BITS-1:0] : side_slot),
		.wdata (wipe ? 128'h0 : tag_in), .wbe (wipe ? 16'hffff : tag_be), .hold (1'b0),
		.raddr (received_slot), .rdata (received_tag)
	);
	info_ram #(.WIDTH (128), .LOG2 (SLOT_BITS)) tags_made (
		.clk (clk), .we (made), .waddr (made_slot), .wdata (made_tag), .hold (1'b0), .raddr (out_side_slot),
		.rdata (leaving_tag), .wipe (wipe), .wipe_at (wipe_at[SLOT_BITS-1:0])
	);

	// --- contexts ---

	wire ctx_read, ctx_corrected, ctx_fatal, row_we;
	wire [CTX_BITS:0] ctx_addr, row_addr;
	wire [767:0] ctx, row;
	ctx_ram #(.CTX_BITS (CTX_BITS)) contexts (
		.clk (clk), .we (row_we), .waddr (row_addr), .wdata (row), .hold (dispatch_hold), .raddr (ctx_addr), .rdata (ctx),
		.corrected (ctx_corrected), .fatal (ctx_fatal), .inject (inject), .inject_write (inject_write), .wipe (wipe),
		.wipe_at (wipe_at[CTX_BITS:0])
	);
	assign inject_used = ctx_read;

	wire gen_we, gen_new_valid, admin_gen_valid, out_gen_valid, out_gen_hold, admin_end, admin_end_ready;
	wire [CTX_BITS-1:0] admin_ctx, out_ctx;
	wire [15:0] gen_new, admin_gen, out_gen;
	wire [SLOT_BITS-1:0] admin_slot;
	wire [3:0] admin_status;
	ctx_admin #(.SLOT_BITS (SLOT_BITS), .CTX_BITS (CTX_BITS)) admin (
		.clk (clk), .rst (block_rst), .ready (admin_ready), .start (start_admin), .start_slot (slot),
		.start_wipe (op_wipe), .start_ctx (op_ctx[CTX_BITS-1:0]), .start_gen (op_gen), .start_alg (op_arg),
		.start_src (op_src), .req_valid (key_req), .req_ready (key_grant), .req_addr (key_addr),
		.rsp_valid (rsp_now && rsp_kind == KIND_KEY), .rsp_beat (rsp_beat[1:0]), .rsp_last (rsp_last),
		.rsp_err (rsp_err), .rsp_data (rsp_data), .rsp_stray (stray_key), .gen_ctx (admin_ctx),
		.gen_valid (admin_gen_valid), .gen (admin_gen), .gen_we (gen_we), .gen_new_valid (gen_new_valid),
		.gen_new (gen_new), .row_we (row_we), .row_addr (row_addr), .row (row), .end_valid (admin_end),
		.end_ready (admin_end_ready), .end_slot (admin_slot), .end_status (admin_status)
	);

	gen_table #(.CTX_BITS (CTX_BITS)) generations (
		.clk (clk), .we (gen_we), .waddr (admin_ctx), .wvalid (gen_new_valid), .wgen (gen_new),
		.admin_addr (admin_ctx), .admin_valid (admin_gen_valid), .admin_gen (admin_gen), .out_hold (out_gen_hold),
		.out_addr (out_ctx), .out_valid (out_gen_valid), .out_gen (out_gen), .wipe (wipe),
		.wipe_at (wipe_at[CTX_BITS-1:0])
	);

	// --- jobs ---

	wire job_valid, job_ready, job_gcm, job_k256, job_decrypt, note, dispatch_end, dispatch_end_ready;
	wire [SLOT_BITS-1:0] job_slot, dispatch_slot;
	wire [11:0] job_aad, job_covered, job_payload, note_len;
	wire [31:0] job_word;
	wire [511:0] job_head;
	wire [255:0] job_key;
	wire [127:0] job_iv, job_h;
	wire [319:0] note_states;
	wire [4:0] note_tag;
	wire [3:0] dispatch_status;
	wire count_corrected, count_fatal;
	dispatch #(.SLOT_BITS (SLOT_BITS), .CTX_BITS (CTX_BITS)) dispatcher (
		.clk (clk), .rst (block_rst), .start (start_packet), .start_slot (slot), .start_ctx (op_ctx[CTX_BITS-1:0]),
		.start_gen (op_gen), .start_rtcp (op_rtcp), .start_unprotect (op_unprotect), .start_tag (op_arg[4:0]),
		.start_len (op_len), .start_aad (op_aad), .start_rollover (op_rollover), .ready (in_ready),
		.ready_slot (in_slot), .ready_err (in_err), .head_slot (job_head_slot), .hold (dispatch_hold),
		.head_data (head_out[0]), .ctx_read (ctx_read), .ctx_addr (ctx_addr), .ctx (ctx),
		.ctx_corrected (ctx_corrected), .ctx_fatal (ctx_fatal), .count_corrected (count_corrected),
		.count_fatal (count_fatal), .job_valid (job_valid), .job_ready (job_ready), .job_slot (job_slot),
		.job_gcm (job_gcm), .job_k256 (job_k256), .job_decrypt (job_decrypt), .job_aad (job_aad),
		.job_covered (job_covered), .job_payload (job_payload), .job_word (job_word), .job_head (job_head),
		.job_key (job_key), .job_iv (job_iv), .job_h (job_h), .note (note), .note_states (note_states),
		.note_len (note_len), .note_tag (note_tag), .end_valid (dispatch_end), .end_ready (dispatch_end_ready),
		.end_slot (dispatch_slot), .end_status (dispatch_status)
	);

	// --- cipher and GHASH ---

	wire lane_done, lane_done_gcm;
	wire [SLOT_BITS-1:0] lane_done_slot;
	wire [127:0] lane_done_tag;
	lanes #(.LANES (LANES), .SLOT_BITS (SLOT_BITS)) engine (
		.clk (clk), .rst (block_rst), .job_valid (job_valid), .job_ready (job_ready), .job_slot (job_slot),
		.job_gcm (job_gcm), .job_k256 (job_k256), .job_decrypt (job_decrypt), .job_aad (job_aad),
		.job_covered (job_covered), .job_payload (job_payload), .job_word (job_word), .job_head (job_head),
		.job_key (job_key), .job_iv (job_iv), .job_h (job_h), .read_row (lane_read_row), .read_data (lane_read),
		.write (lane_we), .write_hash (lane_hash_we), .write_row (lane_write_row), .write_data (lane_write),
		.write_cipher (lane_cipher), .write_be (lane_be), .done (lane_done), .done_slot (lane_done_slot),
		.done_gcm (lane_done_gcm), .done_tag (lane_done_tag), .wipe (wipe), .wipe_at (wipe_at[3:0])
	);

	// --- HMAC ---

	wire hmac_valid, hmac_ready;
	wire [SLOT_BITS-1:0] hmac_slot;
	wire [159:0] hmac_digest;
	hmac #(.SLOT_BITS (SLOT_BITS), .SHA_ITERATIVE (SHA_ITERATIVE)) hash (
		.clk (clk), .rst (block_rst), .note (note), .note_slot (job_slot), .note_states (note_states),
		.note_len (note_len), .note_aad (job_aad), .note_word (job_word), .start (lane_done && !lane_done_gcm),
		.start_slot (lane_done_slot), .row (hash_row), .row_data (hash_rows[511:0]), .head_slot (hash_head_slot),
		.head_data (head_out[1]), .done_valid (hmac_valid), .done_ready (hmac_ready), .done_slot (hmac_slot),
		.done_digest (hmac_digest), .wipe (wipe), .wipe_at (wipe_at[SLOT_BITS-1:0])
	);

	// --- tags ---

	wire tag_done, tag_ok;
	wire [SLOT_BITS-1:0] tag_slot;
	tag #(.SLOT_BITS (SLOT_BITS)) tags (
		.clk (clk), .rst (block_rst), .note (note), .note_slot (job_slot), .note_unprotect (job_decrypt),
		.note_octets (note_tag), .gcm_valid (lane_done && lane_done_gcm), .gcm_slot (lane_done_slot),
		.gcm_tag (lane_done_tag), .hmac_valid (hmac_valid), .hmac_ready (hmac_ready), .hmac_slot (hmac_slot),
		.hmac_digest (hmac_digest), .received_slot (received_slot), .received (received_tag), .made (made),
		.made_slot (made_slot), .made_tag (made_tag), .done (tag_done), .done_slot (tag_slot), .done_ok (tag_ok)
	);

	// --- packets leave; operations that end without one join here ---

	wire end_ready;
	wire out_valid, out_writes, packet_wr, packet_last;
	wire [SLOT_BITS-1:0] out_slot, packet_slot;
	wire [3:0] out_status;
	wire [11:0] out_octets;
	wire [63:0] packet_addr, packet_strb;
	wire [511:0] packet_data;
	assign dispatch_end_ready = end_ready;
	assign admin_end_ready    = end_ready && !dispatch_end;
	assign intake_end_ready   = end_ready && !dispatch_end && !admin_end;
	wire cpl_wr, write_cpl, write_packet;
	packet_out #(.SLOT_BITS (SLOT_BITS), .CTX_BITS (CTX_BITS)) packets_out (
		.clk (clk), .rst (block_rst), .start (start), .start_slot (slot), .start_ctx (op_ctx[CTX_BITS-1:0]),
		.start_gen (op_gen), .start_unprotect (op_unprotect), .start_tag (op_arg[4:0]), .start_len (op_len),
		.start_aad (op_aad), .start_dst (op_dst), .tag_done (tag_done), .tag_slot (tag_slot), .tag_ok (tag_ok),
		.end_valid ((dispatch_end || admin_end || intake_end) && !tag_done), .end_ready (end_ready),
		.end_slot (dispatch_end ? dispatch_slot : admin_end ? admin_slot : slot),
		.end_status (dispatch_end ? dispatch_status : admin_end ? admin_status : intake_status),
		.gen_ctx (out_ctx), .gen_hold (out_gen_hold), .gen_valid (out_gen_valid), .gen (out_gen), .row (out_row),
		.row_data (out_rows), .side_slot (out_side_slot), .head_data (head_out[2]), .tag_data (leaving_tag),
		.wr_valid (packet_wr), .wr_ready (wr_ready && write_packet), .wr_addr (packet_addr), .wr_data (packet_data),
		.wr_strb (packet_strb), .wr_last (packet_last), .wr_slot (packet_slot), .out_valid (out_valid),
		.out_slot (out_slot), .out_status (out_status), .out_octets (out_octets), .out_writes (out_writes)
	);

	// --- completions ---

	wire [63:0] cpl_addr, cpl_strb;
	wire [511:0] cpl_data;
	wire [QUEUE_BITS-1:0] cpl_queue;
	complete #(.SLOT_BITS (SLOT_BITS), .QUEUES (QUEUES), .QUEUE_BITS (QUEUE_BITS)) completions (
		.clk (clk), .rst (block_rst), .flush (flush), .base (cpl_base), .size_log2 (size_log2),
		.completed (completed), .start (start), .start_slot (slot), .start_queue (op_queue), .start_desc (op_desc),
		.start_ctx (op_ctx), .out_valid (out_valid), .out_slot (out_slot), .out_status (out_status),
		.out_octets (out_octets), .out_writes (out_writes), .ack_valid (ack_now && ack_tag[9:8] == KIND_PACKET),
		.ack_slot (ack_tag[SLOT_BITS-1:0]), .ack_err (ack_err), .ack_stray (stray_ack), .wr_valid (cpl_wr),
		.wr_ready (wr_ready && write_cpl), .wr_addr (cpl_addr), .wr_data (cpl_data), .wr_strb (cpl_strb), .wr_queue (cpl_queue),
		.give (give), .give_slot (give_slot), .event_valid (event_valid), .event_status (event_status),
		.event_queue (event_queue), .event_desc (event_desc), .event_ctx (event_ctx), .busy (complete_busy)
	);

	offer #(.SOURCES (2)) writes (
		.clk (clk), .rst (block_rst), .ask ({packet_wr, cpl_wr}), .offered ({write_packet, write_cpl}), .taken (wr_ready)
	);
	assign wr_valid = write_cpl || write_packet;
	assign wr_addr  = write_cpl ? cpl_addr : packet_addr;
	assign wr_data  = write_cpl ? cpl_data : packet_data;
	assign wr_strb  = write_cpl ? cpl_strb : packet_strb;
	assign wr_last  = write_cpl || packet_last;
	assign wr_tag   = {epoch, write_cpl ? {KIND_CPL, {(8 - QUEUE_BITS){1'b0}}, cpl_queue}
		: {KIND_PACKET, {(8 - SLOT_BITS){1'b0}}, packet_slot}};

	wire cpl_ack = ack_now && ack_tag[9:8] == KIND_CPL;
	always @(posedge clk)
		irq <= cpl_ack && !ack_err ? irq_mask & ({{(QUEUES - 1){1'b0}}, 1'b1} << ack_tag[QUEUE_BITS-1:0]) : {QUEUES{1'b0}};

	// --- counters ---

	assign count[srtpdev::COUNT_OPS]           = event_valid;
	assign count[srtpdev::COUNT_OK]            = event_valid && event_status == srtpdev::ST_OK;
	assign count[srtpdev::COUNT_TAG_FAIL]      = event_valid && event_status == srtpdev::ST_TAG_FAIL;
	assign count[srtpdev::COUNT_ERRORS]        = event_valid && event_status != srtpdev::ST_OK
		&& event_status != srtpdev::ST_TAG_FAIL;
	assign count[srtpdev::COUNT_READ_BEATS]    = rsp_valid;
	assign count[srtpdev::COUNT_WRITE_BEATS]   = wr_valid && wr_ready;
	assign count[srtpdev::COUNT_ECC_CORRECTED] = count_corrected;
	assign count[srtpdev::COUNT_ECC_FATAL]     = count_fatal;
	assign count[srtpdev::COUNT_CLOCKS]        = 1'b1;
	assign count[srtpdev::COUNT_BUSY_CLOCKS]   = busy;
	assign count[srtpdev::COUNT_LOST_WRITES]   = cpl_ack && ack_err;
	assign count[srtpdev::COUNT_STRAY]         = (rsp_valid && (!rsp_now || rsp_kind == KIND_CPL)) || stray_desc
		|| stray_packet || stray_key || stray_ack;

	wire unused = ^{hash_rows[1023:512], op_arg[7:5], admin_valid, rsp_tag[7:0], ack_tag[7:0]};

	initial begin
		if (CTX_BITS < 4 || CTX_BITS > 16) $fatal(1, "device: CTX_BITS must be 4 to 16");
		if (SLOT_BITS < 5 || SLOT_BITS > 8) $fatal(1, "device: SLOT_BITS must be 5 to 8");
		if (QUEUES < 1 || QUEUES > 8) $fatal(1, "device: QUEUES must be 1 to 8");
		if (LINE_BITS < 2 || LINE_BITS > 8) $fatal(1, "device: LINE_BITS must be 2 to 8");
	end
endmodule

`default_nettype wire
