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
	packet_out #(.SLOT_BITS (2), .CTX_BITS (1)) dut (
		.clk (clk), .rst (rst), .start (start), .start_slot (start_slot), .start_ctx (start_ctx),
		.start_gen ({14'h0, start_gen}), .start_unprotect (start_unprotect), .start_tag (start_octets),
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
		.clk (clk), .we (gen_we), .waddr (gen_at), .wvalid (gen_new_valid), .wgen ({14'h0, gen_new}),
		.admin_addr (1'b0), .admin_valid (admin_valid), .admin_gen (admin_gen), .out_hold (gen_hold),
		.out_addr (gen_ctx), .out_valid (gen_valid), .out_gen (gen), .wipe (1'b0), .wipe_at (1'b0)
	);

	// One slot (which: any) and all that the environment knows of it.
	(* anyconst *) reg [1:0] s;
	reg began = 1'b0;
	reg [3:0] live, judged;       // started; its tag was made or it was ended
	reg good, comparing;          // its tag was equal; is compared in this clock
	reg [127:0] made_here;
	reg ctx, unprotect;
	reg [1:0] gen_here;
	reg [4:0] octets;
	reg [8:0] dst;
	reg [7:0] len;
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
				{good, living} <= 2'b00;
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
			assert (wr_addr[63:10] == 0 && wr_addr[5:0] == 0 && wr_strb != 0);
			for (i = 0; i < 64; i = i + 1)
				if (wr_strb[i]) assert (wr_addr[9:0] + i >= from && wr_addr[9:0] + i < to);
		end
		if (out_valid && out_slot == s && out_writes) assert (good && out_status == srtpdev::ST_OK);
		if (out_valid && out_slot == s && unprotect && !good) assert (out_octets == 0);
	end

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
