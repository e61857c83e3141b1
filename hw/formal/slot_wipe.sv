// SPDX-License-Identifier: Apache-2.0
// A wiped context is gone: when its wipe ends well both its rows were cleared after the last time anything else was
// written to them, its generation is another, and it is not valid. No row is written but those of the context asked
// for, and while ctx_admin is idle it holds nothing of any key: not in its registers, nor in its small cores'.
// The cores' arithmetic is cut (their results are arbitrary); their registers and control are real.
`default_nettype none

module slot_wipe (
	input wire         clk,
	input wire         rst,
	input wire         start,
	input wire         start_wipe,
	input wire [1:0]   start_ctx,
	input wire [15:0]  start_gen,
	input wire [7:0]   start_alg,
	input wire         req_ready,
	input wire         rsp_valid,
	input wire [1:0]   rsp_beat,
	input wire         rsp_last,
	input wire         rsp_err,
	input wire [511:0] rsp_data,
	input wire         end_ready
);
	(* anyconst *) reg [1:0] c;   // a context
	(* anyconst *) reg half;

	wire ready, req_valid, rsp_stray, gen_valid, gen_we, gen_new_valid, row_we, end_valid;
	wire [63:0] req_addr;
	wire [1:0] gen_ctx;
	wire [15:0] gen, gen_new;
	wire [2:0] row_addr;
	wire [767:0] row;
	wire [1:0] end_slot;
	wire [3:0] end_status;
	ctx_admin #(.SLOT_BITS (2), .CTX_BITS (2)) dut (
		.clk (clk), .rst (rst), .ready (ready), .start (start && ready), .start_slot (2'd0), .start_wipe (start_wipe),
		.start_ctx (start_ctx), .start_gen (start_gen), .start_alg (start_alg), .start_src (64'h0),
		.req_valid (req_valid), .req_ready (req_ready), .req_addr (req_addr), .rsp_valid (rsp_valid),
		.rsp_beat (rsp_beat), .rsp_last (rsp_last), .rsp_err (rsp_err), .rsp_data (rsp_data), .rsp_stray (rsp_stray),
		.gen_ctx (gen_ctx), .gen_valid (gen_valid), .gen (gen), .gen_we (gen_we), .gen_new_valid (gen_new_valid),
		.gen_new (gen_new), .row_we (row_we), .row_addr (row_addr), .row (row), .end_valid (end_valid),
		.end_ready (end_ready), .end_slot (end_slot), .end_status (end_status)
	);
	gen_table #(.CTX_BITS (2)) generations (
		.clk (clk), .we (gen_we), .waddr (gen_ctx), .wvalid (gen_new_valid), .wgen (gen_new), .admin_addr (gen_ctx),
		.admin_valid (gen_valid), .admin_gen (gen), .out_hold (1'b0), .out_addr (2'd0), .out_valid (), .out_gen (),
		.wipe (1'b0), .wipe_at (2'd0)
	);
	(* hierconn *) wire [511:0] \dut.keys ;
	(* hierconn *) wire [511:0] \dut.auths ;
	(* hierconn *) wire [511:0] \dut.keys_rtcp ;
	(* hierconn *) wire [511:0] \dut.auths_rtcp ;
	(* hierconn *) wire [159:0] \dut.inner ;
	(* hierconn *) wire [159:0] \dut.outer ;
	(* hierconn *) wire [127:0] \dut.h ;
	(* hierconn *) wire [127:0] \dut.aes.state ;
	(* hierconn *) wire [255:0] \dut.aes.schedule ;
	(* hierconn *) wire [159:0] \dut.sha.s ;
	(* hierconn *) wire [159:0] \dut.sha.chain ;
	(* hierconn *) wire [159:0] \dut.sha.out_state ;
	(* hierconn *) wire [511:0] \dut.sha.window ;
	(* hierconn *) wire [3:0] \dut.state ;
	(* hierconn *) wire \dut.half , \dut.started , \dut.wiping , \dut.gcm ;
	(* hierconn *) wire [1:0] \dut.ctx ;
	(* hierconn *) wire [15:0] \dut.began ;
	(* hierconn *) wire \dut.aes.busy , \dut.aes.done , \dut.sha.busy , \dut.sha.adding , \dut.sha.out_valid ;
	(* hierconn *) wire [3:0] \dut.aes.round ;
	wire [3:0] state = \dut.state ;
	wire keyless = { \dut.keys , \dut.auths , \dut.keys_rtcp , \dut.auths_rtcp , \dut.inner , \dut.outer , \dut.h } == 0;
	wire cores_keyless = { \dut.aes.state , \dut.aes.schedule , \dut.sha.window , \dut.sha.out_state , \dut.sha.s , \dut.sha.chain } == 0;

	reg began = 1'b0, busy, wiping, cleared, written, stepped;
	reg [1:0] ctx;
	reg [15:0] gen_here;
	always @(posedge clk) begin
		began <= 1'b1;
		if (rst)
			busy <= 1'b0;
		else begin
			if (start && ready) begin
				{busy, wiping, ctx, gen_here} <= {1'b1, start_wipe, start_ctx, start_gen};
				stepped <= 1'b0;
			end
			if (end_valid && end_ready) busy <= 1'b0;
			if (gen_we) stepped <= gen_ctx == ctx && !gen_new_valid && gen_new == gen_here + 16'd1;
		end
		if (row_we && row_addr == {c, half}) cleared <= row == 768'h0;
		written <= rst || (start && ready) ? 1'b0 : written || row_we;
	end

	always @* if (!began) assume (rst);

	always @* if (began && !rst) begin
		if (row_we) assert (busy && row_addr[2:1] == ctx);
		if (gen_we) assert (busy && gen_ctx == ctx);
		if (end_valid && wiping && end_status == srtpdev::ST_OK) assert (stepped && (ctx != c || cleared));
		if (end_valid && end_status != srtpdev::ST_OK) assert (!written);  // a failed one leaves the context as it was
		if (ready) assert (keyless && cores_keyless);
`ifdef INVARIANTS
		assert (busy == (state != 0) && state <= 10);
		if (busy) assert (ctx == \dut.ctx && wiping == \dut.wiping && gen_here == \dut.began );
		if (ready) assert (keyless);
		if (\dut.aes.busy || \dut.aes.done ) assert (state == 5 && \dut.started && \dut.gcm );
		else assert ({ \dut.aes.state , \dut.aes.schedule } == 0);
		if (\dut.aes.done ) assert (\dut.aes.schedule == 0 && !\dut.aes.busy );
		if (\dut.aes.busy ) assert (\dut.aes.round <= 14);
		if (\dut.sha.busy || \dut.sha.adding || \dut.sha.out_valid ) assert (state == 6 || state == 7);
		if (!\dut.sha.busy && !\dut.sha.adding ) assert ({ \dut.sha.s , \dut.sha.chain , \dut.sha.window } == 0);
		if (!\dut.sha.out_valid ) assert (\dut.sha.out_state == 0);
		if (\dut.sha.busy || \dut.sha.adding || \dut.sha.out_valid ) assert (\dut.started );
		assert (\dut.sha.busy + \dut.sha.adding + \dut.sha.out_valid <= 2'd1);
		if (state == 8 && !wiping) assert (!\dut.aes.busy && !\dut.sha.busy );
		if (state == 1 || state == 2 || state == 3 || state == 4) assert (!written && !\dut.half );
		if (state == 10 && end_status != srtpdev::ST_OK) assert (!written);
		if (state >= 1 && state <= 9) assert (end_status == srtpdev::ST_OK);
		if (wiping && busy && ctx == c) begin
			if (state == 8 && \dut.half && half == 0) assert (cleared);
			if (state == 9 || (state == 10 && end_status == srtpdev::ST_OK)) assert (cleared);
		end
		if (wiping && busy) begin
			assert (state < 3 || state >= 8);
			if (state == 10 && end_status == srtpdev::ST_OK) assert (stepped);
		end
`endif
	end

	always @* begin
		cover (!rst && end_valid && wiping && end_status == srtpdev::ST_OK && ctx == c);
		cover (!rst && end_valid && end_status == srtpdev::ST_DMA_RD && !keyless);
		cover (!rst && row_we && !wiping);
	end
endmodule

`default_nettype wire
