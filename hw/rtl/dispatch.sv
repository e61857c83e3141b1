// SPDX-License-Identifier: Apache-2.0
// Takes packets that are all there, reads their contexts, and makes lane jobs of them, one per clock: checks validity,
// generation and lengths against the context, makes the IV. What hash, tag and output stages need from the context is
// told to them here (note). An operation that may not be done ends here with its status.
//
// Clocks: slot | its operation | context row | ECC | job. All stand still while the job in front is not taken.
`default_nettype none

module dispatch #(
	parameter integer SLOT_BITS = 7,
	parameter integer CTX_BITS = 8
) (
	input  wire                 clk,
	input  wire                 rst,
	// operations that start
	input  wire                 start,
	input  wire [SLOT_BITS-1:0] start_slot,
	input  wire [CTX_BITS-1:0]  start_ctx,
	input  wire [15:0]          start_gen,
	input  wire                 start_rtcp,
	input  wire                 start_unprotect,
	input  wire [4:0]           start_tag,
	input  wire [11:0]          start_len,
	input  wire [11:0]          start_aad,
	input  wire [31:0]          start_rollover,
	// packets that are there
	input  wire                 ready,
	input  wire [SLOT_BITS-1:0] ready_slot,
	input  wire                 ready_err,
	// header memory, a clock later unless hold
	output wire [SLOT_BITS-1:0] head_slot,
	output wire                 hold,
	input  wire [511:0]         head_data,
	// context memory, two clocks later unless hold
	output wire                 ctx_read,
	output wire [CTX_BITS:0]    ctx_addr,
	input  wire [767:0]         ctx,
	input  wire                 ctx_corrected,
	input  wire                 ctx_fatal,
	output wire                 count_corrected,
	output wire                 count_fatal,
	// job
	output wire                 job_valid,
	input  wire                 job_ready,
	output reg  [SLOT_BITS-1:0] job_slot,
	output reg                  job_gcm,
	output reg                  job_k256,
	output reg                  job_decrypt,
	output reg  [11:0]          job_aad,
	output reg  [11:0]          job_covered,
	output reg  [11:0]          job_payload,
	output reg  [31:0]          job_word,
	output reg  [511:0]         job_head,
	output reg  [255:0]         job_key,
	output reg  [127:0]         job_iv,
	output reg  [127:0]         job_h,
	// to the hash and tag stages, with the job
	output wire                 note,
	output reg  [319:0]         note_states,   // HMAC: inner and outer
	output reg  [11:0]          note_len,
	output reg  [4:0]           note_tag,
	// operations that end here
	output wire                 end_valid,
	input  wire                 end_ready,
	output wire [SLOT_BITS-1:0] end_slot,
	output reg  [3:0]           end_status
);
	localparam integer OP = CTX_BITS + 16 + 1 + 1 + 5 + 12 + 12 + 32;

	reg v1, v2, v3, v4, ends;
	wire go = !v4 || (ends ? end_ready : job_ready);
	assign hold = !go;

	// --- slot ---
	wire [SLOT_BITS-1:0] slot0;
	wire err0, none, unused_full;
	fifo #(.WIDTH (SLOT_BITS + 1), .LOG2 (SLOT_BITS)) arrived (
		.clk (clk), .rst (rst), .push (ready), .in ({ready_slot, ready_err}), .pop (go && !none),
		.out ({slot0, err0}), .empty (none), .full (unused_full)
	);
	assign head_slot = slot0;

	// --- operation ---
	wire [OP-1:0] op1;
	info_ram #(.WIDTH (OP), .LOG2 (SLOT_BITS)) ops (
		.clk (clk), .we (start), .waddr (start_slot),
		.wdata ({start_ctx, start_gen, start_rtcp, start_unprotect, start_tag, start_len, start_aad, start_rollover}),
		.hold (hold), .raddr (slot0), .rdata (op1), .wipe (1'b0), .wipe_at ({SLOT_BITS{1'b0}})
	);
	reg [SLOT_BITS-1:0] slot1, slot2, slot3;
	reg err1, err2, err3;
	reg [OP-1:0] op2, op3;
	reg [511:0] head2, head3;
	assign ctx_read = go && v1;
	assign ctx_addr = {op1[OP-1 -: CTX_BITS], op1[OP-1-CTX_BITS-16]};

	always @(posedge clk)
		if (rst)
			{v1, v2, v3, v4} <= 4'b0;
		else if (go)
			{v1, v2, v3, v4} <= {!none, v1, v2, v3};

	always @(posedge clk)
		if (go) begin
			{slot1, err1} <= {slot0, err0};
			{slot2, err2, op2, head2} <= {slot1, err1, op1, head_data};
			{slot3, err3, op3, head3} <= {slot2, err2, op2, head2};
		end

	// --- job: operation, header and context row meet ---
	wire [CTX_BITS-1:0] unused_ctx;
	wire [15:0] gen;
	wire rtcp, unprotect;
	wire [4:0] tag;
	wire [11:0] len, aad;
	wire [31:0] rollover;
	assign {unused_ctx, gen, rtcp, unprotect, tag, len, aad, rollover} = op3;

	wire valid = ctx[688];
	wire [2:0] alg = ctx[691:689];
	wire gcm = alg[0];
	wire [4:0] tag_wanted = gcm ? 5'd16 : alg[2] && !rtcp ? 5'd4 : 5'd10;
	wire [31:0] ssrc = rtcp ? {head3[39:32], head3[47:40], head3[55:48], head3[63:56]}
		: {head3[71:64], head3[79:72], head3[87:80], head3[95:88]};
	wire [127:0] iv;
	iv_gen ivs (
		.gcm (gcm), .rtcp (rtcp), .salt (ctx[367:256]), .ssrc (ssrc), .seq ({head3[23:16], head3[31:24]}),
		.index (rollover), .iv (iv)
	);
	wire [3:0] status = err3 ? srtpdev::ST_DMA_RD
		: ctx_fatal ? srtpdev::ST_ECC
		: !valid ? srtpdev::ST_CTX_INVALID
		: ctx[707:692] != gen ? srtpdev::ST_GEN_MISMATCH
		: tag != tag_wanted ? srtpdev::ST_LEN_ERR
		: srtpdev::ST_OK;

	always @(posedge clk)
		if (go) begin
			job_slot    <= slot3;
			job_gcm     <= gcm;
			job_k256    <= alg[1];
			job_decrypt <= unprotect;
			job_aad     <= aad;
			job_covered <= aad + (gcm && rtcp ? 12'd4 : 12'd0); // RFC 7714 section 9.2, 9.3: the ESRTCP word
			job_payload <= len - aad;
			job_word    <= rollover;
			job_head    <= head3;
			job_key     <= ctx[255:0];
			job_iv      <= iv;
			job_h       <= ctx[687:560];
			note_states  <= ctx[687:368];
			note_len     <= len;
			note_tag     <= tag_wanted;
			ends        <= status != srtpdev::ST_OK;
			end_status  <= status;
		end

	assign job_valid = v4 && !ends;
	assign note       = job_valid && job_ready;
	assign end_valid = v4 && ends;
	assign end_slot  = job_slot;
	assign count_corrected = go && v3 && ctx_corrected && !ctx_fatal;
	assign count_fatal     = go && v3 && ctx_fatal;

	wire unused = ^ctx[767:708];
endmodule

`default_nettype wire
