// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA1 of packets whose ciphertext is in the hash memory: packet, then the word behind it (RTP: ROC; RTCP: E flag
// and index), from stored inner and outer states. A ring: a packet's block goes through the SHA-1 pipe, its chaining
// value comes out where the next block is fetched; a packet waits to enter until the ring's place in front is empty.
// So the pipe does a block per clock when as many packets are in the ring as it is long.
//
// Clocks: choose | memories | build the block | SHA-1.
`default_nettype none

module hmac #(
	parameter integer SLOT_BITS = 7,
	parameter integer SHA_ITERATIVE = 0
) (
	input  wire                 clk,
	input  wire                 rst,
	// what dispatch says of each packet
	input  wire                 note,
	input  wire [SLOT_BITS-1:0] note_slot,
	input  wire [319:0]         note_states,
	input  wire [11:0]          note_len,
	input  wire [11:0]          note_aad,
	input  wire [31:0]          note_word,
	// packets to hash
	input  wire                 start,
	input  wire [SLOT_BITS-1:0] start_slot,
	// memories, a clock later
	output wire [SLOT_BITS+4:0] row,
	input  wire [511:0]         row_data,
	output wire [SLOT_BITS-1:0] head_slot,
	input  wire [511:0]         head_data,
	// results, kept until taken
	output wire                 done_valid,
	input  wire                 done_ready,
	output wire [SLOT_BITS-1:0] done_slot,
	output wire [159:0]         done_digest,
	input  wire                 wipe,
	input  wire [SLOT_BITS-1:0] wipe_at
);
	localparam integer ID = SLOT_BITS + 7; // slot, step, is it the outer block

	// --- choose: who comes out of the pipe and is not done, else who waits ---

	wire sha_valid, sha_outer, sha_ready;
	wire [SLOT_BITS-1:0] sha_slot;
	wire [5:0] sha_step;
	wire [159:0] sha_state;
	wire again = sha_valid && !sha_outer;

	wire [SLOT_BITS-1:0] new_slot;
	wire none, unused_full;
	wire enter;
	fifo #(.WIDTH (SLOT_BITS), .LOG2 (SLOT_BITS)) waiting (
		.clk (clk), .rst (rst), .push (start), .in (start_slot), .pop (enter), .out (new_slot), .empty (none),
		.full (unused_full)
	);
	assign enter = !again && !none && sha_ready;

	wire [SLOT_BITS-1:0] slot0 = again ? sha_slot : new_slot;
	wire [5:0] step0 = again ? sha_step + 6'd1 : 6'd0;
	assign row = {slot0, step0[4:0]};
	assign head_slot = slot0;

	// --- memories ---

	wire [319:0] states;
	wire [11:0] len, aad;
	wire [31:0] word;
	info_ram #(.WIDTH (376), .LOG2 (SLOT_BITS)) infos (
		.clk (clk), .we (note), .waddr (note_slot), .wdata ({note_states, note_len, note_aad, note_word}), .hold (1'b0),
		.raddr (slot0), .rdata ({states, len, aad, word}), .wipe (wipe), .wipe_at (wipe_at)
	);
	reg v1;
	reg [SLOT_BITS-1:0] slot1;
	reg [5:0] step1;
	reg [159:0] state1;
	always @(posedge clk) begin
		v1     <= (again || enter) && !rst;
		slot1  <= slot0;
		step1  <= step0;
		state1 <= sha_state;
	end

	// --- build: blocks in memory order, octet 0 lowest; the message is len octets, the word, 0x80, zeros, length ---

	wire [11:0] blocks12 = (len + 12'd76) >> 6; // (len + 4 + 9) / 64 rounded up
	wire [5:0] blocks = blocks12[5:0];
	wire outer = step1 == blocks;
	wire ends_here = step1 + 6'd1 == blocks;
	wire [12:0] left = {1'b0, len} - {1'b0, step1, 6'h0}; // of the packet from this block on; may be negative
	wire none_left = left[12] || left == 13'd0;
	wire [511:0] own = none_left ? 512'h0 : left >= 13'd64 ? {512{1'b1}} : ~({512{1'b1}} << {left[5:0], 3'b000});
	wire [511:0] of_head = step1 != 6'd0 ? 512'h0 : aad >= 12'd64 ? {512{1'b1}} : ~({512{1'b1}} << {aad[5:0], 3'b000});
	wire [12:0] suffix_at = left + 13'd8; // 0x80 and word lie here, 8 octets on, where they touch this block
	wire suffix_here = suffix_at < 13'd72;
	wire [575:0] suffix = {536'h0, 8'h80, word[7:0], word[15:8], word[23:16], word[31:24]} << {suffix_at[6:0], 3'b000};
	wire [15:0] bits = {1'b0, len, 3'b000} + 16'd544; // inner key block and word with it
	wire [511:0] inner_block = (((row_data & ~of_head) | (head_data & of_head)) & own)
		| (suffix_here ? suffix[575:64] : 512'h0) | (ends_here ? {bits[7:0], bits[15:8], 496'h0} : 512'h0);

	function [511:0] swap(input [511:0] v);
		integer i;
		for (i = 0; i < 64; i = i + 1)
			swap[8*i +: 8] = v[8*(63 - i) +: 8];
	endfunction

	reg v2;
	reg [ID-1:0] id2;
	reg [159:0] state2;
	reg [511:0] block2;
	always @(posedge clk) begin
		v2     <= v1 && !rst;
		if (v1 || rst) begin
			id2    <= {slot1, step1, outer};
			state2 <= outer ? states[159:0] : step1 == 6'd0 ? states[319:160] : state1;
			block2 <= outer ? {state1, 8'h80, 328'h0, 16'd672} : swap(inner_block);
		end
	end

	// --- SHA-1 ---

	generate
		if (SHA_ITERATIVE == 0) begin : unrolled
			sha1_pipe #(.ID_BITS (ID)) sha (
				.clk (clk), .rst (rst), .valid (v2), .id (id2), .state (state2), .block (block2),
				.out_valid (sha_valid), .out_id ({sha_slot, sha_step, sha_outer}), .out_state (sha_state)
			);
			assign sha_ready = 1'b1;
		end else begin : iterative
			wire core_ready;
			sha1_iter #(.ID_BITS (ID)) sha (
				.clk (clk), .rst (rst), .ready (core_ready), .valid (v2), .id (id2), .state (state2), .block (block2),
				.out_valid (sha_valid), .out_id ({sha_slot, sha_step, sha_outer}), .out_state (sha_state)
			);
			assign sha_ready = core_ready && !v1 && !v2; // one packet in the ring
		end
	endgenerate

	// --- results ---

	wire no_result, unused_full_too;
	fifo #(.WIDTH (SLOT_BITS + 160), .LOG2 (SLOT_BITS)) results (
		.clk (clk), .rst (rst), .push (sha_valid && sha_outer), .in ({sha_slot, sha_state}),
		.pop (done_valid && done_ready), .out ({done_slot, done_digest}), .empty (no_result), .full (unused_full_too)
	);
	assign done_valid = !no_result;

	wire unused = ^{blocks12[11:6], suffix[63:0]};
endmodule

`default_nettype wire
