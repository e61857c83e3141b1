// SPDX-License-Identifier: Apache-2.0
// One lane: four packets at a time take turns, a clock each, on one AES pipeline and one GHASH multiplier, so that
// both do a block per clock. Counter-mode packets with HMAC use the AES alone; their hash comes after (hmac).
//
// A packet is a row of block operations:
//   H  header octets 0-63, from the job: hashed (GCM only; the others need nothing done here)
//   X  header octets from 64 on, from the packet memory: hashed (GCM) and passed through
//   P  payload, from the packet memory: ciphered and hashed
//   E  end: the hash's length block; AES makes the mask of the tag. Always there
// Blocks of X and P come in chunks of up to 64 octets that are fetched ahead and written back when full; the last one
// waits for E and leaves with the tag.
//
// Order of clocks: issue | AES 15 | join (cipher) | GHASH 4 | gather. Octet 0 of a chunk is its lowest bits, as in memory;
// octet 0 of a block is its highest, as in the standards.
`default_nettype none

module lane #(
	parameter integer SLOT_BITS = 7
) (
	input  wire                 clk,
	input  wire                 rst,
	input  wire [1:0]           turn,         // whose clock it is
	input  wire                 read_turn,    // this clock a chunk may be asked for
	// jobs, to a thread with space
	input  wire                 job_valid,
	input  wire [1:0]           job_thread,
	input  wire [SLOT_BITS-1:0] job_slot,
	input  wire                 job_gcm,
	input  wire                 job_k256,
	input  wire                 job_decrypt,
	input  wire [11:0]          job_aad,      // header octets
	input  wire [11:0]          job_covered,  // and those of the word behind it that GCM hashes with it
	input  wire [11:0]          job_payload,
	input  wire [31:0]          job_word,
	input  wire [511:0]         job_head,
	input  wire [255:0]         job_key,
	input  wire [127:0]         job_iv,
	input  wire [127:0]         job_h,
	output reg  [3:0]           space,
	output reg  [3:0]           idle,
	// chunks from the packet memory: 64 octets from octet read_at, 4 clocks after read
	output wire                 read,
	output wire [SLOT_BITS-1:0] read_slot,
	output wire [10:0]          read_at,
	input  wire [511:0]         read_data,
	// results
	output wire                 out_valid,
	input  wire                 out_ready,
	output wire [SLOT_BITS-1:0] out_slot,
	output wire                 out_gcm,
	output wire                 out_end,      // the packet's last: tag is valid (GCM)
	output wire [10:0]          out_at,
	output wire [6:0]           out_octets,
	output wire [511:0]         out_data,
	output wire [511:0]         out_cipher,   // what HMAC authenticates
	output wire [127:0]         out_tag,
	input  wire                 wipe,
	input  wire [3:0]           wipe_at
);
	localparam [1:0] H = 2'd0, X = 2'd1, P = 2'd2, E = 2'd3;
	localparam integer JOB = SLOT_BITS + 3 + 36 + 32 + 512 + 256 + 128;
	localparam integer RESULTS_LOG2 = 4;

	function [127:0] swap(input [127:0] v); // between memory's and the standards' order
		integer i;
		for (i = 0; i < 16; i = i + 1)
			swap[8*i +: 8] = v[8*(15 - i) +: 8];
	endfunction

	// --- jobs: four per thread, until their E has left the pipeline ---

	reg [JOB-1:0] jobs [0:15];
	reg [127:0]   hs [0:15];
	reg [1:0]     tail [0:3];     // next to be written
	reg [1:0]     head [0:3];     // being issued
	reg [2:0]     waiting [0:3];  // not issued to the end
	reg [2:0]     held [0:3];     // not left
	wire [1:0]    left_thread;
	wire          left;           // an E leaves
	wire          ends;           // an E is issued

	integer n;
	always @* begin
		for (n = 0; n < 4; n = n + 1) begin
			space[n] = !held[n][2];
			idle[n]  = held[n] == 3'd0;
		end
	end

	always @(posedge clk) begin
		if (job_valid || wipe) begin
			jobs[wipe ? wipe_at : {job_thread, tail[job_thread]}] <= wipe ? {JOB{1'b0}} : {job_slot, job_gcm, job_k256,
				job_decrypt, job_aad, job_covered, job_payload, job_word, job_head, job_key, job_iv};
			hs[wipe ? wipe_at : {job_thread, tail[job_thread]}] <= wipe ? 128'h0 : job_h;
		end
		for (n = 0; n < 4; n = n + 1) begin
			if (rst) begin
				tail[n] <= 2'd0;
				head[n] <= 2'd0;
				waiting[n] <= 3'd0;
				held[n] <= 3'd0;
			end else begin
				if (job_valid && job_thread == n[1:0])
					tail[n] <= tail[n] + 2'd1;
				if (ends && turn == n[1:0])
					head[n] <= head[n] + 2'd1;
				waiting[n] <= waiting[n] + {2'd0, job_valid && job_thread == n[1:0]} - {2'd0, ends && turn == n[1:0]};
				held[n] <= held[n] + {2'd0, job_valid && job_thread == n[1:0]} - {2'd0, left && left_thread == n[1:0]};
			end
		end
	end

	// --- chunks: fetched ahead, up to four per thread ---

	wire        chunk_pop;
	wire [3:0]  chunk_there;
	wire [511:0] chunk;
	lane_fetch #(.SLOT_BITS (SLOT_BITS)) fetch (
		.clk         (clk),
		.rst         (rst),
		.read_turn   (read_turn),
		.job_valid   (job_valid),
		.job_thread  (job_thread),
		.job_slot    (job_slot),
		.job_aad     (job_aad),
		.job_covered (job_covered),
		.job_payload (job_payload),
		.read        (read),
		.read_slot   (read_slot),
		.read_at     (read_at),
		.read_data   (read_data),
		.there       (chunk_there),
		.thread      (turn),
		.chunk       (chunk),
		.pop         (chunk_pop),
		.wipe        (wipe),
		.wipe_at     (wipe_at)
	);

	// --- issue: the next block of the thread whose turn it is ---

	wire [3:0] entry = {turn, head[turn]};
	wire [SLOT_BITS-1:0] slot;
	wire gcm, k256, decrypt;
	wire [11:0] aad, covered, payload;
	wire [31:0] word;
	wire [511:0] header;
	wire [255:0] key;
	wire [127:0] iv;
	assign {slot, gcm, k256, decrypt, aad, covered, payload, word, header, key, iv} = jobs[entry];

	reg [1:0] region_of [0:3];
	reg [7:0] block_of [0:3];
	reg [3:0] started;

	wire has_x = covered > 12'd64;
	wire has_p = payload != 12'd0;
	wire [1:0] after_x = has_p ? P : E;
	wire [1:0] after_h = has_x ? X : after_x;
	wire [1:0] region = started[turn] ? region_of[turn] : gcm ? H : after_h;
	wire [7:0] block = started[turn] ? block_of[turn] : 8'd0;
	wire [1:0] next_region = region == H ? after_h : region == X ? after_x : E;

	wire [11:0] h_octets = has_x ? 12'd64 : covered;
	wire [11:0] octets = region == H ? h_octets : region == X ? covered - 12'd64 : payload; // in the region
	wire [11:0] octets_left = octets - {block, 4'h0};
	wire region_ends = region == E || octets_left <= 12'd16;
	wire from_memory = region == X || region == P;
	wire chunk_ends = region_ends || block[1:0] == 2'd3;
	wire result = region == E || (from_memory && chunk_ends && !(region_ends && next_region == E));

	reg [RESULTS_LOG2:0] results; // owed to the result queue or in it
	wire room = !results[RESULTS_LOG2];
	wire issue = waiting[turn] != 3'd0 && (!from_memory || chunk_there[turn]) && (room || !result);
	assign ends = issue && region == E;
	assign chunk_pop = issue && from_memory && chunk_ends;

	always @(posedge clk) begin
		if (rst) begin
			started <= 4'h0;
			results <= {(RESULTS_LOG2 + 1){1'b0}};
		end else begin
			if (issue)
				started[turn] <= region != E;
			if (issue && result && !(out_valid && out_ready))
				results <= results + 1'b1;
			if (!(issue && result) && out_valid && out_ready)
				results <= results - 1'b1;
		end
		if (issue) begin
			region_of[turn] <= region_ends ? next_region : region;
			block_of[turn]  <= region_ends ? 8'd0 : block + 8'd1;
		end
	end

	// The block's octets: of a header, up to the word behind it; of payload, up to its end; zero from there.
	wire [511:0] source = region == H ? header : chunk;
	wire [127:0] octets16 = source[128*block[1:0] +: 128];
	wire [11:0] at = {block, 4'h0} + (region == X ? 12'd64 : 12'd0);
	wire [11:0] own_left = region == P ? octets_left : aad > at ? aad - at : 12'd0;
	wire [127:0] keep = own_left >= 12'd16 ? {128{1'b1}} : ~({128{1'b1}} << {own_left[3:0], 3'b000});
	wire [12:0] word_at = {1'b0, aad} - {1'b0, at} + 13'd4; // 0-19: some of the word is in this block
	wire word_here = region != P && covered != aad && word_at < 13'd20;
	wire [159:0] word_wide = {128'h0, word[7:0], word[15:8], word[23:16], word[31:24]} << {word_at[4:0], 3'b000};
	wire [127:0] data = (octets16 & keep) | (word_here ? word_wide[159:32] : 128'h0);
	wire [127:0] lengths = {49'h0, covered, 3'b000, 49'h0, payload, 3'b000};

	// Where the block's chunk goes in the packet, and how many of its octets are to be written so far.
	wire [11:0] chunk_at = (region == X ? 12'd64 : aad) + {block[7:2], 6'h0};
	wire [11:0] chunk_most = region == X ? (aad > chunk_at ? aad - chunk_at : 12'd0) : payload - {block[7:2], 6'h0};
	wire [6:0] so_far = {1'b0, block[1:0], 4'h0} + 7'd16;
	wire [6:0] chunk_octets = chunk_most < {5'h0, so_far} ? chunk_most[6:0] : so_far;
	wire [7:0] counter = region == E ? 8'd1 : gcm ? block + 8'd2 : block;

	// --- AES, and beside it what the block needs afterwards ---

	localparam integer SIDE = 4 + SLOT_BITS + 2 + 1 + 1 + 1 + 1 + 2 + 5 + 11 + 7 + 128;
	reg [SIDE-1:0] side;
	reg [127:0] aes_block;
	reg [255:0] aes_key;
	reg aes_k256, issued;
	always @(posedge clk) begin
		if (issue || rst)
			side <= {entry, slot, region, gcm, decrypt, !started[turn], result, block[1:0],
				own_left >= 12'd16 ? 5'd16 : {1'b0, own_left[3:0]}, chunk_at[10:0], chunk_octets,
				region == E ? lengths : swap(data)};
		aes_block <= {iv[127:8], counter};
		aes_key   <= key;
		aes_k256  <= k256;
		issued    <= issue && !rst;
	end

	wire [127:0] stream;
	aes_pipe aes (.clk (clk), .block (aes_block), .key (aes_key), .k256 (aes_k256), .out (stream));

	wire [SIDE-1:0] join_side;
	delay_line #(.WIDTH (SIDE), .LENGTH (15)) beside_aes (.clk (clk), .in (side), .out (join_side));
	reg [14:0] in_aes;
	always @(posedge clk)
		in_aes <= rst ? 15'h0 : {in_aes[13:0], issued};
	wire join_valid = in_aes[14];

	// --- join: data and key stream ---

	wire [3:0] j_entry;
	wire [SLOT_BITS-1:0] j_slot;
	wire [1:0] j_region, j_place;
	wire j_gcm, j_decrypt, j_first, j_result;
	wire [4:0] j_octets;
	wire [10:0] j_at;
	wire [6:0] j_chunk_octets;
	wire [127:0] j_data;
	assign {j_entry, j_slot, j_region, j_gcm, j_decrypt, j_first, j_result, j_place, j_octets, j_at, j_chunk_octets,
		j_data} = join_side;

	wire [127:0] j_keep = ~({128{1'b1}} >> {j_octets, 3'b000});
	wire [127:0] ciphered = (j_data ^ stream) & j_keep;
	wire [127:0] j_out = j_region == P ? ciphered : j_region == E ? stream : j_data;
	wire [127:0] j_cipher = j_region == P && !j_decrypt ? ciphered : j_data;

	wire [127:0] hash;
	ghash4 ghash (
		.clk (clk), .rst (rst), .valid (join_valid && j_gcm), .first (j_first), .x (j_cipher), .h (hs[j_entry]), .y (hash)
	);

	// --- gather: blocks into chunks, chunks and tag into the result queue ---

	localparam integer LATE = 2 + SLOT_BITS + 2 + 1 + 1 + 2 + 11 + 7 + 256;
	wire [LATE-1:0] late;
	delay_line #(.WIDTH (LATE), .LENGTH (4)) beside_ghash (
		.clk (clk),
		.in  ({j_entry[3:2], j_slot, j_region, j_gcm, j_result, j_place, j_at, j_chunk_octets, j_out, j_cipher}),
		.out (late)
	);
	reg [3:0] in_ghash;
	always @(posedge clk)
		in_ghash <= rst ? 4'h0 : {in_ghash[2:0], join_valid};
	wire g_valid = in_ghash[3];
	wire [1:0] g_thread, g_region, g_place;
	wire [SLOT_BITS-1:0] g_slot;
	wire g_gcm, g_result;
	wire [10:0] g_at;
	wire [6:0] g_octets;
	wire [127:0] g_out, g_cipher;
	assign {g_thread, g_slot, g_region, g_gcm, g_result, g_place, g_at, g_octets, g_out, g_cipher} = late;

	assign left = g_valid && g_region == E;
	assign left_thread = g_thread;

	reg [511:0] part_data [0:3];
	reg [511:0] part_cipher [0:3];
	reg [10:0] part_at [0:3];
	reg [6:0] part_octets [0:3];
	wire g_memory = g_region == X || g_region == P;
	wire [511:0] mine = {384'h0, {128{1'b1}}} << {g_place, 7'h0};
	wire [511:0] full_data = g_memory ? (part_data[g_thread] & ~mine) | ({4{swap(g_out)}} & mine) : part_data[g_thread];
	wire [511:0] full_cipher = g_memory ? (part_cipher[g_thread] & ~mine) | ({4{swap(g_cipher)}} & mine)
		: part_cipher[g_thread];

	always @(posedge clk) begin
		if (wipe) begin
			part_data[wipe_at[1:0]] <= 512'h0;
			part_cipher[wipe_at[1:0]] <= 512'h0;
		end else if (g_valid && g_memory) begin
			part_data[g_thread] <= full_data;
			part_cipher[g_thread] <= full_cipher;
			part_at[g_thread] <= g_at;
		end
		if (rst) begin
			for (n = 0; n < 4; n = n + 1)
				part_octets[n] <= 7'd0;
		end else if (g_valid) begin
			if (g_result)
				part_octets[g_thread] <= 7'd0;
			else if (g_memory)
				part_octets[g_thread] <= g_octets;
		end
	end

	wire none, unused_full;
	fifo #(.WIDTH (SLOT_BITS + 2 + 11 + 7 + 1024 + 128), .LOG2 (RESULTS_LOG2)) queue (
		.clk   (clk),
		.rst   (rst),
		.push  (g_valid && g_result),
		.in    ({g_slot, g_gcm, g_region == E, g_memory ? g_at : part_at[g_thread],
			g_memory ? g_octets : part_octets[g_thread], full_data, full_cipher, hash ^ g_out}),
		.pop   (out_valid && out_ready),
		.out   ({out_slot, out_gcm, out_end, out_at, out_octets, out_data, out_cipher, out_tag}),
		.empty (none),
		.full  (unused_full)
	);
	assign out_valid = !none;

	wire unused = ^{chunk_at[11], word_wide[31:0], iv[7:0]};
endmodule

`default_nettype wire
