// SPDX-License-Identifier: Apache-2.0
// Installs and wipes contexts, one at a time, beside the packets' way: reads the key block, derives H (GCM) or the
// HMAC's inner and outer states, writes both halves' rows, then makes the context valid. A wipe clears the rows and
// steps the generation, so that nothing which began under the old key can end well.
//
// Key block in host memory, 256 octets: for RTP, then for RTCP 128 each: key (32), salt (14), zero to 64, HMAC key (20),
// zero to 128.
`default_nettype none

module ctx_admin #(
	parameter integer SLOT_BITS = 7,
	parameter integer CTX_BITS = 8
) (
	input  wire                 clk,
	input  wire                 rst,
	output wire                 ready,
	input  wire                 start,
	input  wire [SLOT_BITS-1:0] start_slot,
	input  wire                 start_wipe,
	input  wire [CTX_BITS-1:0]  start_ctx,
	input  wire [15:0]          start_gen,
	input  wire [7:0]           start_alg,
	input  wire [63:0]          start_src,
	// the key block: one read of four beats
	output wire                 req_valid,
	input  wire                 req_ready,
	output reg  [63:0]          req_addr,
	input  wire                 rsp_valid,
	input  wire [1:0]           rsp_beat,
	input  wire                 rsp_last,
	input  wire                 rsp_err,
	input  wire [511:0]         rsp_data,
	output wire                 rsp_stray,
	// generation table
	output wire [CTX_BITS-1:0]  gen_ctx,
	input  wire                 gen_valid,
	input  wire [15:0]          gen,
	output wire                 gen_we,
	output wire                 gen_new_valid,
	output wire [15:0]          gen_new,
	// context rows
	output wire                 row_we,
	output wire [CTX_BITS:0]    row_addr,
	output wire [767:0]         row,
	// end
	output wire                 end_valid,
	input  wire                 end_ready,
	output reg  [SLOT_BITS-1:0] end_slot,
	output reg  [3:0]           end_status
);
	localparam [3:0] IDLE = 4'd0, LOOK = 4'd1, CHECK = 4'd2, ASK = 4'd3, FETCH = 4'd4, HASH = 4'd5, INNER = 4'd6,
		OUTER = 4'd7, ROW = 4'd8, MARK = 4'd9, FINISH = 4'd10;

	reg [3:0] state;
	reg wiping, half, failed, started;
	reg [CTX_BITS-1:0] ctx;
	reg [15:0] began;
	reg [7:0] alg;
	reg [511:0] keys, auths, keys_rtcp, auths_rtcp;
	reg [159:0] inner, outer;
	reg [127:0] h;

	wire gcm = (alg & srtpdev::ALG_GCM) != 8'h0;
	wire alg_bad = (alg & ~(srtpdev::ALG_GCM | srtpdev::ALG_K256 | srtpdev::ALG_TAG32)) != 8'h0
		|| (gcm && (alg & srtpdev::ALG_TAG32) != 8'h0);

	assign ready     = state == IDLE;
	assign req_valid = state == ASK;
	assign rsp_stray = rsp_valid && state != FETCH;
	assign end_valid = state == FINISH;
	assign gen_ctx   = ctx;

	function [511:0] swap(input [511:0] v);
		integer i;
		for (i = 0; i < 64; i = i + 1)
			swap[8*i +: 8] = v[8*(63 - i) +: 8];
	endfunction

	// This half's key and salt, octet 0 highest: key 511:256, salt 255:144.
	wire [511:0] material = swap(keys);

	wire aes_done;
	wire [127:0] aes_out;
	aes_iter aes (
		.clk (clk), .rst (rst), .start (state == HASH && gcm && !started), .block (128'h0), .key (material[511:256]),
		.k256 ((alg & srtpdev::ALG_K256) != 8'h0), .done (aes_done), .out (aes_out)
	);

	wire sha_done, sha_ready, unused_id;
	wire [159:0] sha_out;
	wire [511:0] pad = {64{state == INNER ? 8'h36 : 8'h5c}};
	sha1_iter #(.ID_BITS (1)) sha (
		.clk (clk), .rst (rst), .ready (sha_ready), .valid ((state == INNER || state == OUTER) && !started), .id (1'b0),
		.state (160'h67452301efcdab8998badcfe10325476c3d2e1f0), .block (swap(auths) ^ pad), .out_valid (sha_done),
		.out_id (unused_id), .out_state (sha_out)
	);

	wire [319:0] derived = gcm ? {h, 192'h0} : {inner, outer};
	assign row_we   = state == ROW;
	assign row_addr = {ctx, half};
	assign row      = wiping ? 768'h0
		: {60'h0, began, alg[2:0], 1'b1, derived, material[255:144], material[511:256]};
	assign gen_we        = state == MARK;
	assign gen_new_valid = !wiping;
	assign gen_new       = wiping ? began + 16'd1 : began;

	always @(posedge clk) begin
		if (rst) begin
			state <= IDLE;
			{keys, auths, keys_rtcp, auths_rtcp} <= {2048{1'b0}};
			{inner, outer, h} <= {448{1'b0}};
		end else begin
			case (state)
			IDLE: if (start) begin
				state    <= LOOK;
				end_slot <= start_slot;
				wiping   <= start_wipe;
				ctx      <= start_ctx;
				began    <= start_gen;
				alg      <= start_alg;
				req_addr <= start_src;
				half     <= 1'b0;
				failed   <= 1'b0;
				started  <= 1'b0;
				end_status <= srtpdev::ST_OK;
			end
			LOOK: // the generation table answers
				state <= CHECK;
			CHECK: begin
				state <= wiping ? ROW : ASK;
				if (gen_valid != wiping) begin
					state <= FINISH;
					end_status <= srtpdev::ST_CTX_INVALID;
				end else if (gen != began) begin
					state <= FINISH;
					end_status <= srtpdev::ST_GEN_MISMATCH;
				end else if (!wiping && alg_bad) begin
					state <= FINISH;
					end_status <= srtpdev::ST_BAD_OP;
				end
			end
			ASK: if (req_ready)
				state <= FETCH;
			FETCH: if (rsp_valid) begin
				case (rsp_beat)
				2'd0: keys <= rsp_data;
				2'd1: auths <= rsp_data;
				2'd2: keys_rtcp <= rsp_data;
				default: auths_rtcp <= rsp_data;
				endcase
				failed <= failed || rsp_err;
				if (rsp_last) begin
					state <= HASH;
					if (failed || rsp_err) begin
						state <= FINISH;
						end_status <= srtpdev::ST_DMA_RD;
					end
				end
			end
			HASH: begin
				started <= 1'b1;
				if (!gcm) begin
					started <= 1'b0;
					state <= INNER;
				end else if (aes_done) begin
					h <= aes_out;
					state <= ROW;
				end
			end
			INNER: begin
				started <= 1'b1;
				if (sha_done) begin
					inner <= sha_out;
					started <= 1'b0;
					state <= OUTER;
				end
			end
			OUTER: begin
				started <= 1'b1;
				if (sha_done) begin
					outer <= sha_out;
					state <= ROW;
				end
			end
			ROW: begin
				half    <= 1'b1;
				started <= 1'b0;
				keys    <= keys_rtcp;
				auths   <= auths_rtcp;
				state   <= half ? MARK : wiping ? ROW : HASH;
			end
			MARK:
				state <= FINISH;
			FINISH: begin // nothing of the keys stays here
				{keys, auths, keys_rtcp, auths_rtcp} <= {2048{1'b0}};
				{inner, outer, h} <= {448{1'b0}};
				if (end_ready)
					state <= IDLE;
			end
			default:
				state <= IDLE;
			endcase
		end
	end

	wire unused = ^{sha_ready, material[143:0]};
endmodule

`default_nettype wire
