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
// Order of clocks: look | decide | issue | AES 15 | join (cipher) | GHASH 4 | gather. Octet 0 of a chunk is its lowest
// bits, as in memory; octet 0 of a block is its highest, as in the standards.
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
	localparam integer RESULTS_LOG2 = 4;
	localparam integer JOB = SLOT_BITS + 2 + 32 + 512 + 256 + 128;

	function [127:0] swap(input [127:0] v); // between memory's and the standards' order
		integer i;
		for (i = 0; i < 16; i = i + 1)
			swap[8*i +: 8] = v[8*(15 - i) +: 8];
	endfunction

	// --- jobs: four per thread, until their E has left the pipeline ---

	reg [JOB-1:0] jobs [0:15];
	reg [36:0]    lengths [0:15]; // of the job of the same number, and whether it is GCM
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
			jobs[wipe ? wipe_at : {job_thread, tail[job_thread]}] <= wipe ? {JOB{1'b0}} : {job_slot, job_k256, job_decrypt,
				job_word, job_head, job_key, job_iv};
			lengths[wipe ? wipe_at : {job_thread, tail[job_thread]}] <= wipe ? 37'h0 : {job_gcm, job_aad, job_covered,
				job_payload};
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

	// --- what comes next of a thread: looked up two clocks before its turn, decided on in the clock before it ---

	// Nothing but a thread's own turn changes what it does next, so two clocks of the four are free for this. A job is
	// seen in its thread's next round if it has come by the look.
	wire [1:0] look_thread = turn + 2'd2;
	wire [3:0] look = {look_thread, head[look_thread]};
	wire look_gcm;
	wire [11:0] look_aad, look_covered, look_payload;
	assign {look_gcm, look_aad, look_covered, look_payload} = lengths[look];

	reg there, gcm, has_x, has_p;
	reg [3:0] entry;
	reg [11:0] aad, covered, payload;
	reg [11:0] x_aad;                    // header octets in region X
	reg [7:0] h_last, x_last, p_last;    // each region's last block
	wire [11:0] look_x = look_covered - 12'd65;
	wire [11:0] look_h = look_covered - 12'd1;
	wire [11:0] look_p = look_payload - 12'd1;
	always @(posedge clk) begin
		there   <= waiting[look_thread] != 3'd0 && !rst;
		entry   <= look;
		gcm     <= look_gcm;
		aad     <= look_aad;
		covered <= look_covered;
		payload <= look_payload;
		has_x   <= look_covered > 12'd64;
		has_p   <= look_payload != 12'd0;
		x_aad   <= look_aad > 12'd64 ? look_aad - 12'd64 : 12'd0;
		h_last  <= look_covered > 12'd64 ? 8'd3 : look_h[11:4];
		x_last  <= look_x[11:4];
		p_last  <= look_p[11:4];
	end

	reg [1:0] region_of [0:3];
	reg [7:0] block_of [0:3];
	reg [3:0] started;

	wire [1:0] thread = turn + 2'd1;
	wire [1:0] after_x = has_p ? P : E;
	wire [1:0] after_h = has_x ? X : after_x;
	wire [1:0] region = started[thread] ? region_of[thread] : gcm ? H : after_h;
	wire [7:0] block = started[thread] ? block_of[thread] : 8'd0;
	wire [1:0] next_region = region == H ? after_h : region == X ? after_x : E;
	wire [7:0] last_block = region == H ? h_last : region == X ? x_last : p_last;
	wire region_ends = region == E || block == last_block;
	wire chunk_ends = region_ends || block[1:0] == 2'd3;
	wire from_memory = region == X || region == P;

	// How many of the block's octets are the packet's own, and of its chunk's so far: a header ends in any region H or
	// X, payload with its own.
	wire [11:0] own = region == P ? payload : region == X ? x_aad : aad;
	wire [4:0] own_left = own[11:4] > block ? 5'd16 : own[11:4] == block ? {1'b0, own[3:0]} : 5'd0;
	wire chunk_whole = own[11:6] > block[7:2];
	wire chunk_none = own[11:6] < block[7:2];
	wire [6:0] so_far = {1'b0, block[1:0], 4'h0} + 7'd16;
	wire [6:0] chunk_octets = chunk_none ? 7'd0 : chunk_whole || own[5:4] > block[1:0] ? so_far : {1'b0, own[5:0]};

	// The word behind the header begins at octet word_at - 4 of this block: in it, or up to four before it.
	wire [8:0] word_blocks = {1'b0, aad[11:4]} - {1'b0, block} - (region == X ? 9'd4 : 9'd0);
	wire word_in = word_blocks == 9'd0;
	wire word_from = word_blocks == 9'h1ff && aad[3:2] == 2'd3;

	reg n_there, n_gcm, n_first, n_region_ends, n_chunk_ends, n_from_memory, n_result, n_word_here;
	reg [3:0] n_entry;
	reg [1:0] n_region, n_next_region;
	reg [7:0] n_block, n_counter;
	reg [4:0] n_own_left, n_word_at;
	reg [10:0] n_chunk_at;
	reg [6:0] n_chunk_octets;
	reg [11:0] n_covered, n_payload;
	wire [11:0] chunk_at = (region == X ? 12'd64 : aad) + {block[7:2], 6'h0};
	always @(posedge clk) begin
		n_there        <= there && !rst;
		n_entry        <= entry;
		n_gcm          <= gcm;
		n_first        <= !started[thread];
		n_region       <= region;
		n_next_region  <= next_region;
		n_region_ends  <= region_ends;
		n_chunk_ends   <= chunk_ends;
		n_from_memory  <= from_memory;
		n_result       <= region == E || (from_memory && chunk_ends && !(region_ends && next_region == E));
		n_block        <= block;
		n_counter      <= region == E ? 8'd1 : gcm ? block + 8'd2 : block;
		n_own_left     <= own_left;
		n_chunk_at     <= chunk_at[10:0]; // where the block's chunk goes in the packet
		n_chunk_octets <= chunk_octets;   // and how many of its octets are to be written so far
		n_word_here    <= region != P && covered != aad && (word_in || word_from);
		n_word_at      <= word_in ? {1'b0, aad[3:0]} + 5'd4 : {3'b000, aad[1:0]};
		n_covered      <= covered;
		n_payload      <= payload;
	end

	// --- issue: the next block of the thread whose turn it is ---

	wire [SLOT_BITS-1:0] slot;
	wire k256, decrypt;
	wire [31:0] word;
	wire [511:0] header;
	wire [255:0] key;
	wire [127:0] iv;
	assign {slot, k256, decrypt, word, header, key, iv} = jobs[n_entry];

	reg [RESULTS_LOG2:0] results; // owed to the result queue or in it
	wire room = !results[RESULTS_LOG2];
	wire issue = n_there && (!n_from_memory || chunk_there[turn]) && (room || !n_result);
	assign ends = issue && n_region == E;
	assign chunk_pop = issue && n_from_memory && n_chunk_ends;

	always @(posedge clk) begin
		if (rst) begin
			started <= 4'h0;
			results <= {(RESULTS_LOG2 + 1){1'b0}};
		end else begin
			if (issue)
				started[turn] <= n_region != E;
			if (issue && n_result && !(out_valid && out_ready))
				results <= results + 1'b1;
			if (!(issue && n_result) && out_valid && out_ready)
				results <= results - 1'b1;
		end
		if (issue) begin
			region_of[turn] <= n_region_ends ? n_next_region : n_region;
			block_of[turn]  <= n_region_ends ? 8'd0 : n_block + 8'd1;
		end
	end

	// The block's octets: of a header, up to the word behind it; of payload, up to its end; zero from there.
	wire [511:0] source = n_region == H ? header : chunk;
	wire [127:0] octets16 = source[128*n_block[1:0] +: 128];
	wire [127:0] keep = ~({128{1'b1}} << {n_own_left, 3'b000});
	wire [159:0] word_wide = {128'h0, word[7:0], word[15:8], word[23:16], word[31:24]} << {n_word_at, 3'b000};
	wire [127:0] data = (octets16 & keep) | (n_word_here ? word_wide[159:32] : 128'h0);
	wire [127:0] hash_lengths = {49'h0, n_covered, 3'b000, 49'h0, n_payload, 3'b000};

	// --- AES, and beside it what the block needs afterwards ---

	localparam integer SIDE = 4 + SLOT_BITS + 2 + 1 + 1 + 1 + 1 + 2 + 5 + 11 + 7 + 128;
	reg [SIDE-1:0] side;
	reg [127:0] aes_block;
	reg [255:0] aes_key;
	reg aes_k256, issued;
	always @(posedge clk) begin
		if (issue || rst)
			side <= {n_entry, slot, n_region, n_gcm, decrypt, n_first, n_result, n_block[1:0], n_own_left, n_chunk_at,
				n_chunk_octets, n_region == E ? hash_lengths : swap(data)};
		aes_block <= {iv[127:8], n_counter};
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

	wire unused = ^{chunk_at[11], look_x[3:0], look_h[3:0], look_p[3:0], word_wide[31:0], iv[7:0]};
endmodule

`default_nettype wire
