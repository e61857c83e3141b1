// SPDX-License-Identifier: Apache-2.0
// Packets that are there become jobs of lanes, or end: each once, in the order in which they came (so a context's in
// its), none while the lanes have no room, and what is offered to them stands until it is taken. A job is made only of
// a packet that was read whole, with a row that is right, valid, of its generation and of its length of tag; it has
// that row's keys, its own lengths, header and initial counter block. Nothing waits but for who takes the job in front.
//
// One slot (which: any) is followed; its row and its header are any, and the same whenever they are read.
`default_nettype none

module job_order (
	input wire         clk,
	input wire         rst,
	input wire         start,
	input wire [1:0]   start_slot,
	input wire         start_ctx,
	input wire [15:0]  start_gen,
	input wire         start_rtcp,
	input wire         start_unprotect,
	input wire [4:0]   start_tag,
	input wire [11:0]  start_len,
	input wire [11:0]  start_aad,
	input wire [31:0]  start_rollover,
	input wire         ready,
	input wire [1:0]   ready_slot,
	input wire         ready_err,
	input wire [95:0]  head,
	input wire [767:0] ctx,
	input wire         ctx_corrected,
	input wire         ctx_fatal,
	input wire         job_ready,
	input wire         end_ready
);
	localparam integer B = 2, N = 4, OP = 1 + 16 + 1 + 1 + 5 + 12 + 12 + 32;

	(* anyconst *) reg [B-1:0] s;
	(* anyconst *) reg [767:0] row;
	(* anyconst *) reg row_fatal;
	(* anyconst *) reg [95:0] header;

	wire [B-1:0] head_slot, job_slot, end_slot;
	wire hold, ctx_read, count_corrected, count_fatal, job_valid, job_gcm, job_k256, job_decrypt, note, end_valid;
	wire [1:0] ctx_addr;
	wire [11:0] job_aad, job_covered, job_payload, note_len;
	wire [31:0] job_word;
	wire [511:0] job_head;
	wire [255:0] job_key;
	wire [127:0] job_iv, job_h;
	wire [319:0] note_states;
	wire [4:0] note_tag;
	wire [3:0] end_status;
	dispatch #(.SLOT_BITS (B), .CTX_BITS (1)) dut (
		.clk (clk), .rst (rst), .start (start), .start_slot (start_slot), .start_ctx (start_ctx), .start_gen (start_gen),
		.start_rtcp (start_rtcp), .start_unprotect (start_unprotect), .start_tag (start_tag), .start_len (start_len),
		.start_aad (start_aad), .start_rollover (start_rollover), .ready (ready), .ready_slot (ready_slot),
		.ready_err (ready_err), .head_slot (head_slot), .hold (hold), .head_data ({416'h0, head}), .ctx_read (ctx_read),
		.ctx_addr (ctx_addr), .ctx (ctx), .ctx_corrected (ctx_corrected), .ctx_fatal (ctx_fatal),
		.count_corrected (count_corrected), .count_fatal (count_fatal), .job_valid (job_valid), .job_ready (job_ready),
		.job_slot (job_slot), .job_gcm (job_gcm), .job_k256 (job_k256), .job_decrypt (job_decrypt), .job_aad (job_aad),
		.job_covered (job_covered), .job_payload (job_payload), .job_word (job_word), .job_head (job_head),
		.job_key (job_key), .job_iv (job_iv), .job_h (job_h), .note (note), .note_states (note_states),
		.note_len (note_len), .note_tag (note_tag), .end_valid (end_valid), .end_ready (end_ready), .end_slot (end_slot),
		.end_status (end_status)
	);
	(* hierconn *) wire \dut.v1 ;
	(* hierconn *) wire \dut.v2 ;
	(* hierconn *) wire \dut.v3 ;
	(* hierconn *) wire \dut.v4 ;
	(* hierconn *) wire \dut.err1 ;
	(* hierconn *) wire \dut.err2 ;
	(* hierconn *) wire \dut.err3 ;
	(* hierconn *) wire [B-1:0] \dut.slot1 ;
	(* hierconn *) wire [B-1:0] \dut.slot2 ;
	(* hierconn *) wire [B-1:0] \dut.slot3 ;
	(* hierconn *) wire [OP-1:0] \dut.op1 ;
	(* hierconn *) wire [OP-1:0] \dut.op2 ;
	(* hierconn *) wire [OP-1:0] \dut.op3 ;
	(* hierconn *) wire [511:0] \dut.head2 ;
	(* hierconn *) wire [511:0] \dut.head3 ;
	(* hierconn *) wire [OP*N-1:0] \dut.ops.probe ;
	(* hierconn *) wire [B:0] \dut.arrived.head ;
	(* hierconn *) wire [B:0] \dut.arrived.tail ;
	(* hierconn *) wire [(B+1)*N-1:0] \dut.arrived.probe ;
	wire [B:0] queued = \dut.arrived.tail - \dut.arrived.head ;

	// What the environment has said: operations that began, packets of theirs that are there.
	reg began = 1'b0;
	reg [N-1:0] live, there;
	reg [OP-1:0] op;         // of the followed slot
	reg err;
	reg [B:0] inside, ahead; // packets that are there; of them before the followed one
	wire fire = note || (end_valid && end_ready);
	wire [B-1:0] fired = note ? job_slot : end_slot;
	reg [B-1:0] head_asked;
	reg [1:0] ctx_asked, ctx_due;
	always @(posedge clk) begin
		began <= 1'b1;
		if (rst) begin
			live <= 0;
			there <= 0;
			inside <= 0;
		end else begin
			if (start) live[start_slot] <= 1'b1;
			if (ready) there[ready_slot] <= 1'b1;
			if (fire) live[fired] <= 1'b0;
			if (fire) there[fired] <= 1'b0;
			inside <= inside + ready - fire;
			if (ready && ready_slot == s) ahead <= inside - fire;
			else if (fire) ahead <= ahead - 1;
		end
		if (start && start_slot == s)
			op <= {start_ctx, start_gen, start_rtcp, start_unprotect, start_tag, start_len, start_aad, start_rollover};
		if (ready && ready_slot == s) err <= ready_err;
		if (!hold) begin
			head_asked <= head_slot;
			ctx_asked <= ctx_addr;
			ctx_due <= ctx_asked;
		end
	end

	wire op_ctx, rtcp, unprotect;
	wire [15:0] gen;
	wire [4:0] tag;
	wire [11:0] len, aad;
	wire [31:0] rollover;
	assign {op_ctx, gen, rtcp, unprotect, tag, len, aad, rollover} = op;

	always @* begin
		if (!began) assume (rst);
		if (start) assume (!live[start_slot]);
		if (ready) assume (live[ready_slot] && !there[ready_slot]);
		if (head_asked == s) assume (head == header);
		if (ctx_due == {op_ctx, rtcp}) assume (ctx == row && ctx_fatal == row_fatal);
	end

	// What must become of it.
	wire gcm = row[689];
	wire [4:0] tag_wanted = gcm ? 5'd16 : row[691] && !rtcp ? 5'd4 : 5'd10;
	wire [3:0] status = err ? srtpdev::ST_DMA_RD : row_fatal ? srtpdev::ST_ECC : !row[688] ? srtpdev::ST_CTX_INVALID
		: row[707:692] != gen ? srtpdev::ST_GEN_MISMATCH : tag != tag_wanted ? srtpdev::ST_LEN_ERR : srtpdev::ST_OK;
	wire [7:0] o2 = header[23:16], o3 = header[31:24];
	wire [31:0] ssrc = rtcp ? {header[39:32], header[47:40], header[55:48], header[63:56]}
		: {header[71:64], header[79:72], header[87:80], header[95:88]};
	wire [47:0] packet = rtcp ? {16'h0, 1'b0, rollover[30:0]} : {rollover, o2, o3};
	wire [127:0] iv = gcm ? {row[367:352], row[351:320] ^ ssrc, row[319:272] ^ packet, 32'h0}
		: {row[367:336], row[335:304] ^ ssrc, row[303:256] ^ packet, 16'h0};

	// The one in front was not taken.
	reg waits, waits_end;
	reg [B-1:0] waits_slot;
	always @(posedge clk) begin
		waits <= !rst && job_valid && !job_ready;
		waits_end <= !rst && end_valid && !end_ready;
		waits_slot <= job_slot;
	end

	wire here = began && !rst && job_slot == s;
	always @* if (began && !rst) begin
		assert (note == (job_valid && job_ready));
		assert (!(job_valid && end_valid));
		assert (hold == ((job_valid && !job_ready) || (end_valid && !end_ready)));
		if (waits) assert (job_valid && job_slot == waits_slot);
		if (waits_end) assert (end_valid && end_slot == waits_slot);
		if (job_valid || end_valid) assert (there[job_slot] && end_slot == job_slot);
		if (fire) assert ((fired == s) == (there[s] && ahead == 0));
		assert (inside <= N && (!there[s] || ahead < inside));
		if (end_valid && here) assert (end_status == status && status != srtpdev::ST_OK);
		if (job_valid && here) begin
			assert (status == srtpdev::ST_OK);
			assert (job_gcm == gcm && job_k256 == row[690] && job_decrypt == unprotect);
			assert (job_key == row[255:0] && job_h == row[687:560] && note_states == row[687:368]);
			assert (job_iv == iv && job_word == rollover && job_head == {416'h0, header});
			assert (job_aad == aad && job_payload == len - aad && job_covered == aad + (gcm && rtcp ? 12'd4 : 12'd0));
			assert (note_len == len && note_tag == tag);
		end
	end

`ifdef INVARIANTS
	// Each packet is in one place, and the followed one has as many before it as there are.
	integer k, m;
	reg [4:0] places;
	reg [B-1:0] at;
	reg [B:0] word;
	always @* if (began && !rst) begin
		assert (queued <= N);
		assert (inside == \dut.v1 + \dut.v2 + \dut.v3 + \dut.v4 + queued);
		assert (inside == there[0] + there[1] + there[2] + there[3]);
		for (k = 0; k < N; k = k + 1) begin
			places = (\dut.v4 && job_slot == k) + (\dut.v3 && \dut.slot3 == k) + (\dut.v2 && \dut.slot2 == k)
				+ (\dut.v1 && \dut.slot1 == k);
			for (m = 0; m < N; m = m + 1) begin
				at = \dut.arrived.head [1:0] + m;
				word = at[1] ? (at[0] ? \dut.arrived.probe [11:9] : \dut.arrived.probe [8:6])
					: (at[0] ? \dut.arrived.probe [5:3] : \dut.arrived.probe [2:0]);
				places = places + (m < queued && word[2:1] == k);
				if (m < queued && word[2:1] == k && k == s) begin
					assert (word[0] == err);
					assert (ahead == \dut.v1 + \dut.v2 + \dut.v3 + \dut.v4 + m);
				end
			end
			assert (places == there[k]);
			if (there[k]) assert (live[k]);
		end
		if (live[s]) assert ((s[1] ? (s[0] ? \dut.ops.probe [OP*3 +: OP] : \dut.ops.probe [OP*2 +: OP])
			: (s[0] ? \dut.ops.probe [OP +: OP] : \dut.ops.probe [0 +: OP])) == op);
		if (\dut.v1 ) assert (head_asked == \dut.slot1 );
		if (\dut.v1 && \dut.slot1 == s) begin
			assert (\dut.err1 == err && \dut.op1 == op);
			assert (ahead == \dut.v2 + \dut.v3 + \dut.v4 );
		end
		if (\dut.v2 && \dut.slot2 == s) begin
			assert (\dut.err2 == err && \dut.op2 == op && \dut.head2 == {416'h0, header});
			assert (ahead == \dut.v3 + \dut.v4 && ctx_asked == {op_ctx, rtcp});
		end
		if (\dut.v3 && \dut.slot3 == s) begin
			assert (\dut.err3 == err && \dut.op3 == op && \dut.head3 == {416'h0, header});
			assert (ahead == \dut.v4 && ctx_due == {op_ctx, rtcp});
		end
		if (\dut.v4 && job_slot == s) assert (ahead == 0);
	end
`endif

	reg [1:0] jobs = 0;
	reg stood = 1'b0;
	always @(posedge clk) begin
		if (rst) jobs <= 0;
		else if (note && jobs != 3) jobs <= jobs + 1;
		stood <= !rst && (stood || (waits && inside == N));
	end
	always @* begin
		cover (began && !rst && note && jobs == 2 && stood && job_slot == s && rtcp && gcm);
		cover (began && !rst && note && !gcm && tag == 4 && unprotect && job_slot == s);
		cover (began && !rst && end_valid && waits_end && end_slot == s && end_status == srtpdev::ST_GEN_MISMATCH);
		cover (began && !rst && end_valid && end_status == srtpdev::ST_ECC && inside == 3);
	end
endmodule

`default_nettype wire
