// SPDX-License-Identifier: Apache-2.0
// What HMAC hashes. Every packet that is handed over comes out once, with its own digest: block after block from the
// inner state on, each with the chaining value that came of the one before, then the outer block with what came of the
// last. Each octet of a block is the one that RFC 3711 section 4.2 and FIPS 180-4 say, whatever the lengths: header,
// ciphertext, the word behind it, 0x80, zeros, the length in bits.
//
// One slot and one octet of its blocks (which: any) are followed; SHA-1 (stub/sha1_pipe.sv) makes anything of a block.
`default_nettype none

module hash_ring (
	input wire         clk,
	input wire         rst,
	input wire         note,
	input wire [1:0]   note_slot,
	input wire [319:0] note_states,
	input wire [11:0]  note_len,
	input wire [11:0]  note_aad,
	input wire [31:0]  note_word,
	input wire         start,
	input wire [1:0]   start_slot,
	input wire [511:0] row_data,
	input wire [511:0] head_data,
	input wire         done_ready
);
	localparam integer B = 2, N = 4, INFO = 376;

	(* anyconst *) reg [B-1:0] s;
	(* anyconst *) reg [5:0] o;  // octet of a block, in the order of the message

	wire [B+4:0] row;
	wire [B-1:0] head_slot, done_slot;
	wire done_valid;
	wire [159:0] done_digest;
	hmac #(.SLOT_BITS (B)) dut (
		.clk (clk), .rst (rst), .note (note), .note_slot (note_slot), .note_states (note_states), .note_len (note_len),
		.note_aad (note_aad), .note_word (note_word), .start (start), .start_slot (start_slot), .row (row),
		.row_data (row_data), .head_slot (head_slot), .head_data (head_data), .done_valid (done_valid),
		.done_ready (done_ready), .done_slot (done_slot), .done_digest (done_digest), .wipe (1'b0), .wipe_at (2'd0)
	);
	(* hierconn *) wire \dut.v1 ;
	(* hierconn *) wire \dut.v2 ;
	(* hierconn *) wire [B-1:0] \dut.slot1 ;
	(* hierconn *) wire [5:0] \dut.step1 ;
	(* hierconn *) wire [159:0] \dut.state1 ;
	(* hierconn *) wire [319:0] \dut.states ;
	(* hierconn *) wire [11:0] \dut.len ;
	(* hierconn *) wire [11:0] \dut.aad ;
	(* hierconn *) wire [31:0] \dut.word ;
	(* hierconn *) wire [B+6:0] \dut.id2 ;
	(* hierconn *) wire [159:0] \dut.state2 ;
	(* hierconn *) wire [511:0] \dut.block2 ;
	(* hierconn *) wire \dut.sha_valid ;
	(* hierconn *) wire [B-1:0] \dut.sha_slot ;
	(* hierconn *) wire [5:0] \dut.sha_step ;
	(* hierconn *) wire \dut.sha_outer ;
	(* hierconn *) wire [159:0] \dut.sha_state ;
	(* hierconn *) wire \dut.unrolled.sha.valid1 ;
	(* hierconn *) wire [B+6:0] \dut.unrolled.sha.id1 ;
	(* hierconn *) wire [INFO*N-1:0] \dut.infos.probe ;
	(* hierconn *) wire [B:0] \dut.waiting.head ;
	(* hierconn *) wire [B:0] \dut.waiting.tail ;
	(* hierconn *) wire [B*N-1:0] \dut.waiting.probe ;
	(* hierconn *) wire [B:0] \dut.results.head ;
	(* hierconn *) wire [B:0] \dut.results.tail ;
	(* hierconn *) wire [(B+160)*N-1:0] \dut.results.probe ;
	wire [B:0] waiting = \dut.waiting.tail - \dut.waiting.head ;
	wire [B:0] results = \dut.results.tail - \dut.results.head ;

	// What the environment has said: packets of which it told the lengths, those handed over.
	reg began = 1'b0;
	reg [N-1:0] noted, inside;
	reg [159:0] inner, outer, chain; // of the followed packet; chain: what came of its last block
	reg [11:0] len, aad;
	reg [31:0] word;
	reg [5:0] step;                  // its next inner block
	reg is_outer;                    // that one is under way, or the digest there
	wire fire = done_valid && done_ready;
	wire came = \dut.sha_valid && \dut.sha_slot == s;
	wire [12:0] message = {1'b0, len} + 13'd13; // with the word, 0x80 and the length
	wire [5:0] blocks = message[11:6] + (message[5:0] != 0);
	wire enters = \dut.v1 && \dut.slot1 == s;
	wire hashes = \dut.v2 && \dut.id2 [B+6:7] == s;
	always @(posedge clk) begin
		began <= 1'b1;
		if (rst) begin
			noted <= 0;
			inside <= 0;
		end else begin
			if (note) noted[note_slot] <= 1'b1;
			if (start) inside[start_slot] <= 1'b1;
			if (fire) inside[done_slot] <= 1'b0;
			if (fire) noted[done_slot] <= 1'b0;
		end
		if (note && note_slot == s) {inner, outer, len, aad, word} <= {note_states, note_len, note_aad, note_word};
		if (start && start_slot == s) {step, is_outer} <= 0;
		else if (came) begin
			chain <= \dut.sha_state ;
			step <= step + 1;
		end
		if (enters) is_outer <= step == blocks;
	end

	always @* begin
		if (!began) assume (rst);
		if (note) assume (!noted[note_slot] && note_len >= 8 && note_len <= 2048 && note_aad <= note_len && note_aad >= 8);
		if (start) assume (noted[start_slot] && !inside[start_slot]);
	end

	// The memories' octet of the block that enters, and what must be hashed.
	wire [7:0] of_row = row_data[{o, 3'b000} +: 8], of_head = head_data[{o, 3'b000} +: 8];
	wire [12:0] at = {1'b0, step, o};
	wire [15:0] bits = {1'b0, len, 3'b000} + 16'd32 + 16'd512;
	wire [12:0] behind = at - {1'b0, len};
	wire last = step + 6'd1 == blocks;
	wire [7:0] octet = at < len ? (at < 64 && at < aad ? of_head : of_row)
		: behind == 0 ? word[31:24] : behind == 1 ? word[23:16] : behind == 2 ? word[15:8] : behind == 3 ? word[7:0]
		: behind == 4 ? 8'h80 : last && o == 62 ? bits[15:8] : last && o == 63 ? bits[7:0] : 8'h00;
	wire [4:0] digest_at = 5'd19 - o[4:0];
	wire [159:0] digest_down = chain >> {digest_at, 3'b000};
	wire [7:0] outer_octet = o < 20 ? digest_down[7:0] : o == 20 ? 8'h80 : o == 62 ? 8'h02
		: o == 63 ? 8'ha0 : 8'h00; // (64 + 20) * 8 bits
	reg [7:0] must;
	reg entered;
	always @(posedge clk) begin
		entered <= enters && !rst;
		if (enters) must <= step == blocks ? outer_octet : octet;
	end

	wire [511:0] block_down = \dut.block2 << {o, 3'b000};
	always @* if (began && !rst) begin
		if (enters) assert (\dut.step1 == step && inside[s] && !is_outer);
		assert (hashes == entered);
		if (hashes) begin
			assert (block_down[511:504] == must);
			assert (\dut.id2 == {s, step, is_outer} && is_outer == (step == blocks));
			assert (\dut.state2 == (is_outer ? outer : step == 0 ? inner : chain));
		end
		if (done_valid) assert (inside[done_slot]);
		if (done_valid && done_slot == s) assert (is_outer && done_digest == chain);
	end

	// The row that is read for it.
	reg [B+4:0] row_asked;
	reg [B-1:0] head_asked;
	always @(posedge clk) {row_asked, head_asked} <= {row, head_slot};
	always @* if (began && !rst && enters && step != blocks) begin
		assert (head_asked == s);
		if (step < 32) assert (row_asked == {s, step[4:0]});
	end

`ifdef INVARIANTS
	integer k, m;
	reg [4:0] places;
	reg [B-1:0] place, at_place;
	always @* if (began && !rst) begin
		assert (waiting <= N && results <= N);
		for (k = 0; k < N; k = k + 1) begin
			places = (\dut.v1 && \dut.slot1 == k) + (\dut.v2 && \dut.id2 [B+6:7] == k)
				+ (\dut.unrolled.sha.valid1 && \dut.unrolled.sha.id1 [B+6:7] == k) + (\dut.sha_valid && \dut.sha_slot == k);
			for (m = 0; m < N; m = m + 1) begin
				place = \dut.waiting.head [B-1:0] + m;
				at_place = place[1] ? (place[0] ? \dut.waiting.probe [7:6] : \dut.waiting.probe [5:4])
					: (place[0] ? \dut.waiting.probe [3:2] : \dut.waiting.probe [1:0]);
				places = places + (m < waiting && at_place == k);
				if (m < waiting && at_place == k && k == s) assert (step == 0 && !is_outer);
				place = \dut.results.head [B-1:0] + m;
				at_place = place[1] ? (place[0] ? \dut.results.probe [647:646] : \dut.results.probe [485:484])
					: (place[0] ? \dut.results.probe [323:322] : \dut.results.probe [161:160]);
				places = places + (m < results && at_place == k);
				if (m < results && at_place == k && k == s) begin
					assert (is_outer);
					assert ((place[1] ? (place[0] ? \dut.results.probe [645:486] : \dut.results.probe [483:324])
						: (place[0] ? \dut.results.probe [321:162] : \dut.results.probe [159:0])) == chain);
				end
			end
			assert (places == inside[k]);
			if (inside[k]) assert (noted[k]);
		end
		if (noted[s]) begin
			assert ((s[1] ? (s[0] ? \dut.infos.probe [1503:1128] : \dut.infos.probe [1127:752])
				: (s[0] ? \dut.infos.probe [751:376] : \dut.infos.probe [375:0])) == {inner, outer, len, aad, word});
			assert (len >= 8 && len <= 2048 && aad <= len && aad >= 8);
		end
		if (inside[s] && !is_outer) assert (step <= blocks);
		if (inside[s] && is_outer) assert (step == blocks || step == blocks + 1);
		if (enters) begin
			assert ({\dut.states , \dut.len , \dut.aad , \dut.word } == {inner, outer, len, aad, word});
			if (step != 0) assert (\dut.state1 == chain);
		end
		if (\dut.unrolled.sha.valid1 && \dut.unrolled.sha.id1 [B+6:7] == s)
			assert (\dut.unrolled.sha.id1 == {s, step, is_outer} && is_outer == (step == blocks));
		if (came) assert (\dut.sha_step == step && \dut.sha_outer == is_outer && is_outer == (step == blocks));
	end
`endif

	always @* begin
		cover (began && !rst && done_valid && done_slot == s && step == 3 && len == 60 && inside == 4'b1111);
		cover (began && !rst && hashes && must == 8'h80 && o == 63 && !is_outer);
		cover (began && !rst && hashes && is_outer && o == 62 && len == 51);
	end
endmodule

`default_nettype wire
