// SPDX-License-Identifier: Apache-2.0
// The lanes on one packet memory. Clocks go round in fours: each lane may ask for one chunk of 64 octets and hand over
// one result in its clock, four blocks being what it can do in the meantime. What a lane hands over is shifted to where
// it belongs and written to the output memory, and its ciphertext, where an HMAC is to be made, to the hash memory.
// done comes when everything of the packet is in the memories.
`default_nettype none

module lanes #(
	parameter integer LANES = 4,
	parameter integer SLOT_BITS = 7
) (
	input  wire                 clk,
	input  wire                 rst,
	// jobs
	input  wire                 job_valid,
	output wire                 job_ready,
	input  wire [SLOT_BITS-1:0] job_slot,
	input  wire                 job_gcm,
	input  wire                 job_k256,
	input  wire                 job_decrypt,
	input  wire [11:0]          job_aad,
	input  wire [11:0]          job_covered,
	input  wire [11:0]          job_payload,
	input  wire [31:0]          job_word,
	input  wire [511:0]         job_head,
	input  wire [255:0]         job_key,
	input  wire [127:0]         job_iv,
	input  wire [127:0]         job_h,
	// packet memory: rows row and row + 1 a clock later
	output reg  [SLOT_BITS+4:0] read_row,
	input  wire [1023:0]        read_data,
	// output and hash memories
	output reg                  write,
	output reg                  write_hash,
	output reg  [SLOT_BITS+4:0] write_row,
	output reg  [1023:0]        write_data,
	output reg  [1023:0]        write_cipher,
	output reg  [127:0]         write_be,
	// packets that are through
	output reg                  done,
	output reg  [SLOT_BITS-1:0] done_slot,
	output reg                  done_gcm,
	output reg  [127:0]         done_tag,
	input  wire                 wipe,
	input  wire [3:0]           wipe_at
);
	reg [1:0] phase;
	always @(posedge clk)
		phase <= rst ? 2'd0 : phase + 2'd1;

	// --- whom to give a job: a thread with nothing, else one with space, from the one after the last ---

	wire [4*LANES-1:0] space, idle;
	localparam integer THREADS = 4 * LANES;
	localparam integer LANE_BITS = LANES == 4 ? 2 : LANES == 2 ? 1 : 0;
	localparam integer MASK_I = LANES - 1;
	reg [LANE_BITS+1:0] next, pick;
	wire [THREADS-1:0] from = |idle ? idle : space;
	integer i;
	reg [LANE_BITS+1:0] tried;
	always @* begin
		pick = next;
		for (i = THREADS - 1; i >= 0; i = i - 1) begin
			// Neighbouring numbers are different lanes: {thread, lane}.
			tried = next + i[LANE_BITS+1:0];
			if (from[tried])
				pick = tried;
		end
	end
	assign job_ready = |space;
	wire [1:0] pick_thread = pick[LANE_BITS+1:LANE_BITS];
	wire [1:0] pick_lane = pick[1:0] & MASK_I[1:0];
	always @(posedge clk)
		if (rst)
			next <= {(LANE_BITS + 2){1'b0}};
		else if (job_valid && job_ready)
			next <= pick + 1'b1;

	// --- the lanes ---

	wire [LANES-1:0] read, out_valid, out_gcm, out_end;
	wire [SLOT_BITS*LANES-1:0] read_slot, out_slot;
	wire [11*LANES-1:0] read_at, out_at;
	wire [7*LANES-1:0] out_octets;
	wire [512*LANES-1:0] out_data, out_cipher;
	wire [128*LANES-1:0] out_tag;
	reg [511:0] chunk;

	genvar l, t;
	generate
		for (l = 0; l < LANES; l = l + 1) begin : each
			wire [3:0] my_space, my_idle;
			lane #(.SLOT_BITS (SLOT_BITS)) lane (
				.clk         (clk),
				.rst         (rst),
				.turn        (phase),
				.read_turn   (phase == l),
				.job_valid   (job_valid && job_ready && pick_lane == l),
				.job_thread  (pick_thread),
				.job_slot    (job_slot),
				.job_gcm     (job_gcm),
				.job_k256    (job_k256),
				.job_decrypt (job_decrypt),
				.job_aad     (job_aad),
				.job_covered (job_covered),
				.job_payload (job_payload),
				.job_word    (job_word),
				.job_head    (job_head),
				.job_key     (job_key),
				.job_iv      (job_iv),
				.job_h       (job_h),
				.space       (my_space),
				.idle        (my_idle),
				.read        (read[l]),
				.read_slot   (read_slot[SLOT_BITS*l +: SLOT_BITS]),
				.read_at     (read_at[11*l +: 11]),
				.read_data   (chunk),
				.out_valid   (out_valid[l]),
				.out_ready   (phase == l),
				.out_slot    (out_slot[SLOT_BITS*l +: SLOT_BITS]),
				.out_gcm     (out_gcm[l]),
				.out_end     (out_end[l]),
				.out_at      (out_at[11*l +: 11]),
				.out_octets  (out_octets[7*l +: 7]),
				.out_data    (out_data[512*l +: 512]),
				.out_cipher  (out_cipher[512*l +: 512]),
				.out_tag     (out_tag[128*l +: 128]),
				.wipe        (wipe),
				.wipe_at     (wipe_at)
			);
			for (t = 0; t < 4; t = t + 1) begin : thread
				assign space[LANES*t + l] = my_space[t];
				assign idle[LANES*t + l] = my_idle[t];
			end
		end
	endgenerate

	// --- reading: at most one lane asks in a clock ---

	reg [SLOT_BITS-1:0] asked_slot;
	reg [10:0] asked_at;
	always @* begin
		asked_slot = {SLOT_BITS{1'b0}};
		asked_at = 11'd0;
		for (i = 0; i < LANES; i = i + 1)
			if (read[i]) begin
				asked_slot = read_slot[SLOT_BITS*i +: SLOT_BITS];
				asked_at = read_at[11*i +: 11];
			end
	end
	reg [5:0] down, down_q;
	wire [1023:0] shifted_down = read_data >> {down_q, 3'b000};
	always @(posedge clk) begin
		read_row <= {asked_slot, asked_at[10:6]};
		down     <= asked_at[5:0];
		down_q   <= down;
		chunk    <= shifted_down[511:0];
	end

	// --- writing: the lane whose clock it is ---

	reg r_valid, r_gcm, r_end, w_end, w_gcm;
	reg [SLOT_BITS-1:0] r_slot, w_slot;
	reg [10:0] r_at;
	reg [6:0] r_octets;
	reg [511:0] r_data, r_cipher;
	reg [127:0] r_tag, w_tag;
	always @(posedge clk) begin
		r_valid <= 1'b0;
		for (i = 0; i < LANES; i = i + 1)
			if (phase == i[1:0]) begin
				r_valid  <= out_valid[i] && !rst;
				r_slot   <= out_slot[SLOT_BITS*i +: SLOT_BITS];
				r_gcm    <= out_gcm[i];
				r_end    <= out_end[i];
				r_at     <= out_at[11*i +: 11];
				r_octets <= out_octets[7*i +: 7];
				r_data   <= out_data[512*i +: 512];
				r_cipher <= out_cipher[512*i +: 512];
				r_tag    <= out_tag[128*i +: 128];
			end
		write        <= r_valid && r_octets != 7'd0 && !rst;
		write_hash   <= r_valid && r_octets != 7'd0 && !r_gcm && !rst;
		if (r_valid || rst) begin
			write_row    <= {r_slot, r_at[10:6]};
			write_data   <= {512'h0, r_data} << {r_at[5:0], 3'b000};
			write_cipher <= {512'h0, r_cipher} << {r_at[5:0], 3'b000};
			write_be     <= ~({128{1'b1}} << r_octets) << r_at[5:0];
		end
		w_end        <= r_valid && r_end && !rst;
		w_slot       <= r_slot;
		w_gcm        <= r_gcm;
		w_tag        <= r_tag;
		done         <= w_end && !rst;
		done_slot    <= w_slot;
		done_gcm     <= w_gcm;
		done_tag     <= w_tag;
	end

	wire unused = ^shifted_down[1023:512];

	initial begin
		if (LANES != 1 && LANES != 2 && LANES != 4) $fatal(1, "lanes: LANES must be 1, 2 or 4");
	end
endmodule

`default_nettype wire
