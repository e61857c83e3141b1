// SPDX-License-Identifier: Apache-2.0
// No beat of a packet goes to the host before its tag is known good and unless its context is, when the first beat
// sets out, of the generation that it began under; none of an operation that ended otherwise; none outside the
// packet's destination. `tag` compares here, against any received tag; lanes and HMAC are an environment that makes
// any tag for any slot that was started, once. Contexts change at any time. Packet contents are tied to 0 (they reach
// nothing but wr_data), and lengths are those of up to four beats.
`default_nettype none

module packet_gate (
	input wire         clk,
	input wire         rst,
	input wire         start,
	input wire [1:0]   start_slot,
	input wire         start_ctx,
	input wire [1:0]   start_gen,
	input wire         start_unprotect,
	input wire [4:0]   start_octets,
	input wire [7:0]   start_len,
	input wire [8:0]   start_dst,
	input wire         gcm_valid,
	input wire [1:0]   gcm_slot,
	input wire [127:0] gcm_tag,
	input wire         hmac_valid,
	input wire [1:0]   hmac_slot,
	input wire [127:0] hmac_tag,
	input wire [127:0] received,    // what the received-tag memory answers now
	input wire         end_valid,
	input wire [1:0]   end_slot,
	input wire [3:0]   end_status,
	input wire         gen_we,
	input wire         gen_at,
	input wire         gen_new_valid,
	input wire [1:0]   gen_new,
	input wire         wr_ready
);
	wire hmac_ready, made, tag_done, tag_ok;
	wire [1:0] received_slot, made_slot, tag_slot, wr_slot, out_slot, side_slot;
	wire [127:0] made_tag;
	tag #(.SLOT_BITS (2)) tags (
		.clk (clk), .rst (rst), .note (start), .note_slot (start_slot), .note_unprotect (start_unprotect),
		.note_octets (start_octets), .gcm_valid (gcm_valid), .gcm_slot (gcm_slot), .gcm_tag (gcm_tag),
		.hmac_valid (hmac_valid), .hmac_ready (hmac_ready), .hmac_slot (hmac_slot), .hmac_digest ({hmac_tag, 32'h0}),
		.received_slot (received_slot), .received (received), .made (made), .made_slot (made_slot),
		.made_tag (made_tag), .done (tag_done), .done_slot (tag_slot), .done_ok (tag_ok)
	);
	wire end_ready, gen_ctx, gen_hold, gen_valid, wr_valid, wr_last, out_valid, out_writes;
	wire [15:0] gen;
	wire [6:0] row;
	wire [63:0] wr_addr, wr_strb;
	wire [511:0] wr_data;
	wire [3:0] out_status;
	wire [11:0] out_octets;
	packet_out #(.SLOT_BITS (2), .CTX_BITS (1), .QUEUE_LOG2 (2)) dut (
		.clk (clk), .rst (rst), .start (start), .start_slot (start_slot), .start_ctx (start_ctx),
		.start_gen ({start_gen[1], 14'h0, start_gen[0]}), .start_unprotect (start_unprotect), .start_tag (start_octets),
		.start_len ({4'h0, start_len}), .start_aad (12'd12), .start_dst ({55'h0, start_dst}), .tag_done (tag_done),
		.tag_slot (tag_slot), .tag_ok (tag_ok), .end_valid (end_valid && !tag_done), .end_ready (end_ready),
		.end_slot (end_slot), .end_status (end_status), .gen_ctx (gen_ctx), .gen_hold (gen_hold),
		.gen_valid (gen_valid), .gen (gen), .row (row), .row_data (1024'h0), .side_slot (side_slot),
		.head_data (512'h0), .tag_data (128'h0), .wr_valid (wr_valid), .wr_ready (wr_ready), .wr_addr (wr_addr),
		.wr_data (wr_data), .wr_strb (wr_strb), .wr_last (wr_last), .wr_slot (wr_slot), .out_valid (out_valid),
		.out_slot (out_slot), .out_status (out_status), .out_octets (out_octets), .out_writes (out_writes)
	);
	wire admin_valid;
	wire [15:0] admin_gen;
	gen_table #(.CTX_BITS (1)) generations (
		.clk (clk), .we (gen_we), .waddr (gen_at), .wvalid (gen_new_valid), .wgen ({gen_new[1], 14'h0, gen_new[0]}),
		.admin_addr (1'b0), .admin_valid (admin_valid), .admin_gen (admin_gen), .out_hold (gen_hold),
		.out_addr (gen_ctx), .out_valid (gen_valid), .out_gen (gen), .wipe (1'b0), .wipe_at (1'b0)
	);

	// One slot (which: any) and all that the environment knows of it.
	(* anyconst *) reg [1:0] s;
	(* anyconst *) reg [5:0] o;    // an octet of a beat
	reg began = 1'b0;
	reg [3:0] live, judged;       // started; its tag was made or it was ended
	reg good, comparing;          // its tag was equal; is compared in this clock
	reg [127:0] made_here;
	reg ctx, unprotect;
	reg [1:0] gen_here;
	reg [4:0] octets;
	reg [8:0] dst;
	reg [7:0] len;
	reg [3:0] sent;               // its beats that have left
	reg living;                   // was, at some clock since the verdict, its context of its generation?
	reg [1:0] known = 2'b00;      // contexts that were written
	reg [2:0] table0, table1;     // the contexts' validity and generation
	wire gcm_now = gcm_valid;
	wire hmac_now = hmac_valid && hmac_ready;
	wire end_now = end_valid && end_ready && !tag_done;
	wire free_now = out_valid && !out_writes;
	wire last_now = wr_valid && wr_ready && wr_last;
	wire [2:0] mine = ctx ? table1 : table0;

	// Octet 0 of the tag is its highest bits in the standards' order, its lowest in memory's.
	reg [127:0] in_memory, asked;
	integer i;
	always @* for (i = 0; i < 16; i = i + 1) begin
		in_memory[8*i +: 8] = made_here[8*(15 - i) +: 8];
		asked[8*i +: 8] = {8{i < octets}};
	end

	always @(posedge clk) begin
		began <= 1'b1;
		if (gen_we) known[gen_at] <= 1'b1;
		if (gen_we && gen_at) table1 <= {gen_new_valid, gen_new};
		if (gen_we && !gen_at) table0 <= {gen_new_valid, gen_new};
		if (rst) begin
			live <= 0;
			judged <= 0;
			{good, comparing, living} <= 3'b000;
		end else begin
			if (free_now) live[out_slot] <= 1'b0;
			if (last_now) live[wr_slot] <= 1'b0;
			if (wr_valid && wr_ready && wr_slot == s) sent <= sent + 1;
			if (gcm_now) judged[gcm_slot] <= 1'b1;
			if (hmac_now) judged[hmac_slot] <= 1'b1;
			if (end_now) judged[end_slot] <= 1'b1;
			if (start) begin
				live[start_slot] <= 1'b1;
				judged[start_slot] <= 1'b0;
			end
			comparing <= (gcm_now && gcm_slot == s) || (hmac_now && hmac_slot == s);
			made_here <= gcm_now ? gcm_tag : hmac_tag;
			if (comparing) good <= !unprotect || ((in_memory ^ received) & asked) == 0;
			living <= living || (mine == {1'b1, gen_here} && good);
			if (start && start_slot == s) begin
				{good, living, sent} <= 6'b0;
				{ctx, gen_here, unprotect, octets, dst, len}
					<= {start_ctx, start_gen, start_unprotect, start_octets, start_dst, start_len};
			end
		end
	end

	wire [4:0] octets_now = start_octets;
	always @* begin
		if (!began) assume (rst);
		if (!rst) begin
			if (start) assume (!live[start_slot] && known[start_ctx] && (octets_now == 4 || octets_now == 10 || octets_now == 16)
				&& start_len >= 12 && start_len < 190);
			if (gcm_valid) assume (live[gcm_slot] && !judged[gcm_slot]);
			if (hmac_valid) assume (live[hmac_slot] && !judged[hmac_slot] && !(gcm_valid && gcm_slot == hmac_slot));
			if (end_valid) assume (live[end_slot] && !judged[end_slot] && !(gcm_valid && gcm_slot == end_slot)
				&& !(hmac_valid && hmac_slot == end_slot));
		end
	end

	// Octets of the packet as it leaves, and the beat's place among them.
	wire [9:0] from = {1'b0, dst};
	wire [9:0] to = from + {2'b0, len} + (unprotect ? 10'd0 : {5'h0, octets});
	always @* if (began && !rst) begin
		if (wr_valid && wr_slot == s) begin
			assert (live[s] && good);
			assert (living);
			assert (wr_addr == {54'h0, from[9:6] + sent, 6'h0} && wr_strb != 0); // each once
			if (wr_strb[o]) assert (wr_addr[9:0] + o >= from && wr_addr[9:0] + o < to);
			assert (wr_last == (wr_addr[9:0] + 11'd64 >= to));
		end
		if (out_valid && out_slot == s && out_writes) assert (good && out_status == srtpdev::ST_OK);
		if (out_valid && out_slot == s && unprotect && !good) assert (out_octets == 0);
	end

`ifdef INVARIANTS
	localparam integer OP = 111, BEAT = 2 + 1 + 64 + 64 + 512;
	(* hierconn *) wire \tags.v1 , \tags.unprotect ;
	(* hierconn *) wire [4:0] \tags.octets ;
	(* hierconn *) wire [127:0] \tags.tag1 ;
	(* hierconn *) wire [23:0] \tags.infos.probe ;
	(* hierconn *) wire [OP*4-1:0] \dut.ops.probe ;
	(* hierconn *) wire [33:0] \generations.for_out.probe ;
	(* hierconn *) wire [2:0] \dut.verdicts.head , \dut.verdicts.tail , \dut.beats.head , \dut.beats.tail ;
	(* hierconn *) wire [27:0] \dut.verdicts.probe ;
	(* hierconn *) wire [BEAT*4-1:0] \dut.beats.probe ;
	(* hierconn *) wire \dut.v1 , \dut.v2 , \dut.packet1 , \dut.packet2 , \dut.writes , \dut.current ;
	(* hierconn *) wire [1:0] \dut.slot1 , \dut.slot2 , \dut.b1_slot , \dut.b2_slot , \dut.b3_slot ;
	(* hierconn *) wire [3:0] \dut.status1 , \dut.status2 ;
	(* hierconn *) wire [OP-1:0] \dut.op1 , \dut.op2 ;
	(* hierconn *) wire [5:0] \dut.beat , \dut.b1_up ;
	(* hierconn *) wire [2:0] \dut.owed ;
	(* hierconn *) wire [6:0] \dut.b1_end ;
	(* hierconn *) wire \dut.b1_valid , \dut.b1_last , \dut.b1_first , \dut.b2_valid , \dut.b2_last , \dut.b3_valid , \dut.b3_last ;
	(* hierconn *) wire [63:0] \dut.b1_addr , \dut.b2_addr , \dut.b3_addr , \dut.b2_strb , \dut.b3_strb ;

	function [OP-1:0] op_of(input [OP*4-1:0] ops, input [1:0] n);
		op_of = n[1] ? (n[0] ? ops[OP*3 +: OP] : ops[OP*2 +: OP]) : (n[0] ? ops[OP +: OP] : ops[0 +: OP]);
	endfunction
	function [5:0] info_of(input [23:0] infos, input [1:0] n);
		info_of = n[1] ? (n[0] ? infos[23:18] : infos[17:12]) : (n[0] ? infos[11:6] : infos[5:0]);
	endfunction
	function [6:0] verdict_of(input [27:0] all, input [1:0] n);
		verdict_of = n[1] ? (n[0] ? all[27:21] : all[20:14]) : (n[0] ? all[13:7] : all[6:0]);
	endfunction
	function [130:0] beat_of(input [BEAT*4-1:0] all, input [1:0] n); // without its data
		beat_of = n[1] ? (n[0] ? all[BEAT*3+512 +: 131] : all[BEAT*2+512 +: 131])
			: (n[0] ? all[BEAT+512 +: 131] : all[512 +: 131]);
	endfunction

	// The slot's notes are the device's, and so is the table of generations.
	wire [OP-1:0] op = {ctx, gen_here[1], 14'h0, gen_here[0], unprotect, octets, 4'h0, len, 12'd12, 55'h0, dst};
	wire [2:0] verdicts = \dut.verdicts.tail - \dut.verdicts.head ;
	wire [2:0] beats = \dut.beats.tail - \dut.beats.head ;
	always @* begin // in reset too
		if (known[0]) assert (\generations.for_out.probe [16:0] == {table0[2:1], 14'h0, table0[0]});
		if (known[1]) assert (\generations.for_out.probe [33:17] == {table1[2:1], 14'h0, table1[0]});
	end
	always @* if (began && !rst) begin
		if (live[s]) begin
			assert (op_of(\dut.ops.probe , s) == op && info_of(\tags.infos.probe , s) == {unprotect, octets});
			assert ((octets == 4 || octets == 10 || octets == 16) && len >= 12 && len < 190 && known[ctx]);
		end
		// On its way: compared, judged, looked up, then asked for its generation.
		assert (comparing == (\tags.v1 && made_slot == s));
		if (comparing) assert (\tags.unprotect == unprotect && \tags.octets == octets && \tags.tag1 == made_here);
		if (tag_done && tag_slot == s && tag_ok) assert (good);
		if (\dut.v1 && \dut.slot1 == s) assert (\dut.op1 == op);
		if (\dut.v1 && \dut.slot1 == s && \dut.packet1 && \dut.status1 == srtpdev::ST_OK) assert (good);
		if (\dut.v2 && \dut.slot2 == s) assert (\dut.op2 == op);
		if (\dut.v2 && \dut.slot2 == s && \dut.packet2 && \dut.status2 == srtpdev::ST_OK) assert (good);
		if (\dut.v2 && \dut.slot2 == s && \dut.writes ) begin
			assert (living);
			assert (\dut.beat == 0 || {\dut.beat , 6'h0} < to - {from[9:6], 6'h0});
		end
		if (!(\dut.v2 && \dut.writes )) assert (\dut.beat == 0);
		assert (verdicts <= 4 && beats <= 4 && \dut.owed <= 4);
		assert (\dut.owed == beats + \dut.b1_valid + \dut.b2_valid + \dut.b3_valid );
	end

	// Each slot that has been judged and lives is in one place: its last beat, or before its beats end.
	integer k, m;
	reg [1:0] at;
	reg [6:0] verdict;
	reg [130:0] beat;
	reg [3:0] tokens;
	always @* if (began && !rst) for (k = 0; k < 4; k = k + 1) begin
		tokens = (\tags.v1 && made_slot == k) + (tag_done && tag_slot == k) + (\dut.v1 && \dut.slot1 == k)
			+ (\dut.v2 && \dut.slot2 == k) + (\dut.b1_valid && \dut.b1_last && \dut.b1_slot == k)
			+ (\dut.b2_valid && \dut.b2_last && \dut.b2_slot == k) + (\dut.b3_valid && \dut.b3_last && \dut.b3_slot == k);
		for (m = 0; m < 4; m = m + 1) begin
			at = \dut.verdicts.head [1:0] + m;
			verdict = verdict_of(\dut.verdicts.probe , at);
			if (m < verdicts && verdict[6:5] == k) begin
				tokens = tokens + 1;
				if (k == s && verdict[4:0] == {srtpdev::ST_OK, 1'b1}) assert (good);
			end
			at = \dut.beats.head [1:0] + m;
			beat = beat_of(\dut.beats.probe , at);
			if (m < beats && beat[130:129] == k && beat[128]) tokens = tokens + 1;
		end
		assert (tokens == (live[k] && judged[k]));
	end

	// Its beats, oldest first: each is the next one of its packet and within it.
	reg [3:0] e;
	reg ended;
	always @* if (began && !rst) begin
		e = sent;
		ended = 1'b0;
		for (m = 0; m < 7; m = m + 1) begin
			at = \dut.beats.head [1:0] + m;
			beat = m == 4 ? { \dut.b3_slot , \dut.b3_last , \dut.b3_addr , \dut.b3_strb }
				: m == 5 ? { \dut.b2_slot , \dut.b2_last , \dut.b2_addr , \dut.b2_strb }
				: m == 6 ? { \dut.b1_slot , \dut.b1_last , \dut.b1_addr , 64'h1} : beat_of(\dut.beats.probe , at);
			if ((m == 4 ? \dut.b3_valid : m == 5 ? \dut.b2_valid : m == 6 ? \dut.b1_valid : m < beats) && beat[130:129] == s) begin
				assert (live[s] && good && living);
				assert (beat[127:64] == {54'h0, from[9:6] + e, 6'h0} && beat[73:64] < to);
				assert (beat[128] == (beat[73:64] + 11'd64 >= to));
				if (m != 6) begin
					assert (beat[63:0] != 0);
					if (beat[o]) assert (beat[73:64] + o >= from && beat[73:64] + o < to);
				end else begin
					assert (\dut.b1_up == dst[5:0] && \dut.b1_first == (e == 0));
					if (beat[128]) assert (\dut.b1_end == to - beat[73:64]);
				end
				e = e + 1;
				ended = beat[128];
			end
		end
		if (live[s]) assert (sent <= 4 && (sent == 0 || {2'b00, sent, 6'h0} < to - {from[9:6], 6'h0}));
		if (live[s] && !ended) begin
			if (\dut.v2 && \dut.slot2 == s) assert (\dut.beat == e && (e == 0 || \dut.writes ));
			else assert (e == 0);
		end
		if (!judged[s]) assert (!good && !living);
	end
`endif

	reg aborted = 1'b0;
	always @(posedge clk) aborted <= !rst && (aborted || (out_valid && out_status == srtpdev::ST_ABORTED));
	always @* begin
		cover (!rst && wr_valid && wr_last && unprotect && wr_slot == s && wr_addr[7:0] == 192);
		cover (!rst && aborted);
		cover (!rst && out_valid && out_status == srtpdev::ST_TAG_FAIL);
		cover (!rst && wr_valid && !wr_last && hmac_valid && gcm_valid);
	end
endmodule

`default_nettype wire
