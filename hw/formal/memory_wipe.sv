// SPDX-License-Identifier: Apache-2.0
// What the wipe passes over reads as zero, in every kind of memory that it goes through, whatever was there and
// whatever is written at the same time; row_mem has both of its halves cleared by one address. That every address is
// passed is reset_wipe's. Memories of four addresses begin with anything in them.
`default_nettype none

module memory_wipe (
	input wire          clk,
	input wire          wipe,
	input wire [1:0]    wipe_at,
	input wire          we,
	input wire [2:0]    waddr,
	input wire [1023:0] wdata,
	input wire [127:0]  wbe,
	input wire [2:0]    raddr
);
	wire [1023:0] rows;
	row_mem #(.ROW_BITS (3)) row_dut (
		.clk (clk), .we (we), .wrow (waddr), .wdata (wdata), .wbe (wbe), .rrow (raddr), .rdata (rows), .wipe (wipe),
		.wipe_at (wipe_at)
	);
	wire [15:0] info;
	info_ram #(.WIDTH (16), .LOG2 (2)) info_dut (
		.clk (clk), .we (we), .waddr (waddr[1:0]), .wdata (wdata[15:0]), .hold (1'b0), .raddr (raddr[1:0]),
		.rdata (info), .wipe (wipe), .wipe_at (wipe_at)
	);
	wire [767:0] ctx;
	wire corrected, fatal;
	ctx_ram #(.CTX_BITS (1)) ctx_dut (
		.clk (clk), .we (we), .waddr (waddr[1:0]), .wdata (wdata[767:0]), .hold (1'b0), .raddr (raddr[1:0]),
		.rdata (ctx), .corrected (corrected), .fatal (fatal), .inject (2'b00), .wipe (wipe), .wipe_at (wipe_at)
	);

	// Wiped, and nothing written since: addresses as the wipe counts them.
	reg [3:0] clean = 4'b0000;
	wire [1:0] even_at = waddr[2:1] + {1'b0, waddr[0]};
	reg even_clean = 1'b0, odd_clean = 1'b0, turned = 1'b0, word_clean = 1'b0, word_clean_q = 1'b0;
	reg [3:0] words = 4'b0000;
	wire [1:0] even_read = raddr[2:1] + {1'b0, raddr[0]};
	integer i;
	always @(posedge clk) begin
		for (i = 0; i < 4; i = i + 1) begin
			if (wipe && wipe_at == i) {clean[i], words[i]} <= 2'b11;
			else if (!wipe && we) begin
				if (even_at == i || waddr[2:1] == i) clean[i] <= 1'b0;
				if (waddr[1:0] == i) words[i] <= 1'b0;
			end
		end
		even_clean <= clean[even_read];
		odd_clean <= clean[raddr[2:1]];
		turned <= raddr[0];
		word_clean <= words[raddr[1:0]];
		word_clean_q <= word_clean;
	end

	always @* begin
		if (even_clean) assert ((turned ? rows[1023:512] : rows[511:0]) == 512'h0);
		if (odd_clean) assert ((turned ? rows[511:0] : rows[1023:512]) == 512'h0);
		if (word_clean) assert (info == 16'h0);
		if (word_clean_q) assert (ctx == 768'h0 && !corrected && !fatal);
	end

	always @* begin
		cover (clean == 4'b1111 && words == 4'b1111 && even_clean && turned);
		cover (even_clean && rows[0] && !turned == 0);
		cover (word_clean_q && !words[0] && words[1]);
	end
endmodule

`default_nettype wire
